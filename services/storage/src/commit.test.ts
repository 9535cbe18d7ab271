import { afterEach, describe, expect, it } from "vitest";
import { Fuse } from "./testing/fuse.ts";
import { pluginFiles, zipOf } from "./testing/packages.ts";
import { reasonOf, Stack } from "./testing/stack.ts";

let stack: Stack;
afterEach(() => stack.close());

describe("a commit", () => {
  it("gives the same answer again, also at once and twenty times", async () => {
    stack = await Stack.start();
    const upload = await stack.upload(zipOf(pluginFiles()));
    stack.catalog.referenced.add(upload.sha256);
    const answers = await Promise.all(Array.from({ length: 20 }, () => stack.commit(upload.id)));
    expect(new Set(answers)).toEqual(new Set([upload.sha256]));
    expect(await stack.commit(upload.id)).toBe(upload.sha256);
    expect(await stack.keys()).toEqual([`blobs/sha256/${upload.sha256.slice(0, 2)}/${upload.sha256}`]);
  });

  it("of several uploads of one content at once makes one blob", async () => {
    stack = await Stack.start();
    const bytes = zipOf(pluginFiles());
    const uploads = await Promise.all(Array.from({ length: 6 }, () => stack.upload(bytes)));
    const answers = await Promise.all(uploads.map(({ id }) => stack.commit(id)));
    expect(new Set(answers).size).toBe(1);
    expect(await stack.keys()).toHaveLength(1);
  });

  it.each(["before", "after"] as const)(
    "that is cut short %s any step is completed by the next one",
    async (moment) => {
      const fuse = new Fuse();
      stack = await Stack.start({ fuse });
      for (const earlier of ["none", "published", "collected"] as const) {
        for (let step = 1; ; step++) {
          const bytes = zipOf(pluginFiles({ name: `${earlier}-${moment}-${step}` }));
          if (earlier !== "none") await publishAndMaybeCollect(bytes, earlier === "collected");
          const upload = await stack.upload(bytes);
          stack.catalog.referenced.add(upload.sha256);
          fuse.arm(step, moment);
          expect(await reasonOf(stack.commit(upload.id))).toBe(fuse.isBlown ? "UNAVAILABLE" : "none");
          fuse.disarm();
          expect(await stack.commit(upload.id)).toBe(upload.sha256);
          expect((await stack.read({ sha256: upload.sha256 })).bytes.equals(bytes)).toBe(true);
          expect(await stack.keys("staging/")).toEqual([]);
          expect((await stack.keys("blobs/")).filter((key) => key.endsWith(upload.sha256))).toHaveLength(1);
          if (!fuse.isBlown) {
            expect(step).toBeGreaterThan(4);
            break;
          }
        }
      }
    },
  );

  it("whose object was lost puts it back", async () => {
    stack = await Stack.start();
    const bytes = zipOf(pluginFiles());
    const sha256 = await stack.publish(bytes);
    for (const key of await stack.keys("blobs/")) await stack.blobs.delete(key);
    expect(await reasonOf(stack.read({ sha256 }))).toBe("BLOB_NOT_FOUND");
    await stack.publish(bytes);
    expect((await stack.read({ sha256 })).bytes.equals(bytes)).toBe(true);
  });

  it("of what was committed and collected since starts over", async () => {
    stack = await Stack.start({ config: { GC_GRACE_SECONDS: 0 } });
    const upload = await stack.upload(zipOf(pluginFiles()));
    await stack.commit(upload.id);
    await stack.collectGarbage();
    expect(await reasonOf(stack.commit(upload.id))).toBe("UPLOAD_NOT_FOUND");
    expect(await stack.keys()).toEqual([]);
  });
});

async function publishAndMaybeCollect(bytes: Buffer, collect: boolean): Promise<void> {
  const sha256 = await stack.publish(bytes);
  if (!collect) return;
  stack.catalog.referenced.delete(sha256);
  stack.surroundings.clock.advance(86_400_000);
  await stack.collectGarbage();
  expect(await reasonOf(stack.read({ sha256 }))).toBe("BLOB_NOT_FOUND");
}
