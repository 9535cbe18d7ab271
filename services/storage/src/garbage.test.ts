import type { Blobs } from "@registry/blobs";
import { afterEach, describe, expect, it } from "vitest";
import { Fuse } from "./testing/fuse.ts";
import { pluginFiles, zipOf } from "./testing/packages.ts";
import { reasonOf, Stack } from "./testing/stack.ts";

let stack: Stack;
afterEach(() => stack.close());

const eager = { GC_GRACE_SECONDS: 0 } as const;
const day = 86_400_000;
const packageOf = (name: string): Buffer => zipOf(pluginFiles({ name }));

describe("a collection of garbage", () => {
  it("leaves exactly what is referred to, and what is young", async () => {
    stack = await Stack.start();
    const kept = await stack.publish(packageOf("kept"));
    const dropped = await stack.publish(packageOf("dropped"));
    await stack.read({ sha256: dropped, packing: "PACKING_TAR_GZ", topFolder: "dropped" });
    await stack.read({ sha256: kept, packing: "PACKING_TAR_GZ", topFolder: "kept" });
    stack.catalog.referenced.delete(dropped);
    expect(await stack.collectGarbage()).toMatchObject({ examinedBlobs: 2, markedBlobs: 0, deletedBlobs: 0 });

    stack.surroundings.clock.advance(day);
    const young = await stack.publish(packageOf("young"));
    stack.catalog.referenced.delete(young);
    const size = packageOf("dropped").length;
    const counted = { examinedBlobs: 3, markedBlobs: 1, deletedBlobs: 1, deletedUploads: 2 };
    expect(await stack.collectGarbage(true)).toMatchObject({ ...counted, freedBytes: size });
    expect((await stack.keys("blobs/")).length).toBe(3);
    expect(await stack.collectGarbage()).toMatchObject(counted);
    expect((await stack.keys("blobs/")).map((key) => key.slice(-64)).sort()).toEqual([kept, young].sort());
    expect((await stack.keys("derived/")).every((key) => key.startsWith(`derived/${kept}/`))).toBe(true);
    expect(await reasonOf(stack.read({ sha256: dropped }))).toBe("BLOB_NOT_FOUND");
    expect(await reasonOf(stack.readFile(dropped, "README.md"))).toBe("BLOB_NOT_FOUND");
  });

  it("removes uploads that expired, and staged objects without an upload", async () => {
    stack = await Stack.start();
    const empty = await stack.everything();
    await stack.upload(packageOf("late"));
    const { id } = await stack.upload(packageOf("orphan"));
    await (await stack.documents.collection({ name: "uploads", indexes: [] })).deleteOne({ _id: id });
    await stack.collectGarbage();
    expect(await stack.keys("staging/")).toHaveLength(2);
    stack.surroundings.clock.advance(3_700_000);
    expect(await stack.collectGarbage()).toMatchObject({ deletedUploads: 2 });
    expect(await stack.everything()).toEqual(empty);
  });

  it("deletes nothing where the catalog cannot be asked, also the second time", async () => {
    stack = await Stack.start({ config: eager });
    const sha256 = await stack.publish(packageOf("asked"));
    stack.catalog.referenced.clear();
    stack.catalog.isAway = true;
    expect(await reasonOf(stack.collectGarbage())).toBe("UNAVAILABLE");
    stack.catalog.isAway = false;
    stack.catalog.beforeAnswer = async () => {
      stack.catalog.isAway = true;
    };
    expect(await reasonOf(stack.collectGarbage())).toBe("UNAVAILABLE");
    expect(await reasonOf(stack.read({ sha256 }))).toBe("none");
    stack.catalog.referenced.add(sha256);
    stack.catalog.isAway = false;
    stack.catalog.beforeAnswer = async () => undefined;
    expect(await stack.collectGarbage()).toMatchObject({ deletedBlobs: 0 });
    expect(await reasonOf(stack.read({ sha256 }))).toBe("none");
  });

  it("adopts objects that no record tells of, and collects them like others", async () => {
    stack = await Stack.start({ config: eager });
    const kept = await stack.publish(packageOf("kept"));
    await stack.publish(packageOf("dropped"));
    await (await stack.documents.collection({ name: "blobs", indexes: [] })).deleteMany({});
    stack.catalog.referenced.clear();
    stack.catalog.referenced.add(kept);
    expect(await reasonOf(stack.read({ sha256: kept }))).toBe("none");
    stack.surroundings.clock.advance(1000);
    expect(await stack.collectGarbage()).toMatchObject({ deletedBlobs: 1 });
    expect((await stack.keys("blobs/")).map((key) => key.slice(-64))).toEqual([kept]);
    expect((await stack.read({ sha256: kept, packing: "PACKING_TAR_GZ", topFolder: "kept" })).derived).toBe(true);
  });

  it("is the administrators' affair", async () => {
    stack = await Stack.start();
    expect(await reasonOf(stack.storage.collectGarbage({}, stack.asPublisher()))).toBe("PERMISSION_DENIED");
  });

  it.each([1, 2])("is outdone by a publish between the catalog's answer number %i and its use", async (look) => {
    stack = await Stack.start({ config: eager });
    const bytes = packageOf("outdone");
    const sha256 = await stack.publish(bytes);
    stack.catalog.referenced.clear();
    let answers = 0;
    stack.catalog.beforeAnswer = async () => {
      if (++answers === look) await stack.publish(bytes);
    };
    expect(await stack.collectGarbage()).toMatchObject({ deletedBlobs: 0 });
    expect(answers).toBeGreaterThanOrEqual(look);
    expect((await stack.read({ sha256 })).bytes.equals(bytes)).toBe(true);
    expect(await stack.collectGarbage()).toMatchObject({ deletedBlobs: 0 });
    expect((await stack.read({ sha256 })).bytes.equals(bytes)).toBe(true);
  });

  it("leaves a row for the audit log where something may have been collected", async () => {
    stack = await Stack.start({ config: eager });
    await stack.collectGarbage(true);
    await stack.collectGarbage();
    const journal = await stack.documents.collection<{ _id: string; entry: { afterJson: string } }>({
      name: "audit_journal",
      indexes: [],
    });
    const rows = await journal.find({});
    expect(rows).toMatchObject([{ state: "done", entry: { action: "storage.collect", actor: "root", result: "ok" } }]);
    expect(JSON.parse(rows[0]?.entry.afterJson ?? "")).toMatchObject({ deletedBlobs: 0 });
  });

  it.each(["before", "after"] as const)(
    "that is cut short %s any step is completed by the next one",
    async (moment) => {
      const fuse = new Fuse();
      stack = await Stack.start({ fuse, config: eager });
      for (let step = 1; ; step++) {
        const kept = await stack.publish(packageOf(`kept-${step}`));
        const dropped = await stack.publish(packageOf(`dropped-${step}`));
        await stack.read({ sha256: dropped, packing: "PACKING_TAR_GZ", topFolder: "dropped" });
        stack.catalog.referenced.delete(dropped);
        fuse.arm(step, moment);
        expect(await reasonOf(stack.collectGarbage())).toBe(fuse.isBlown ? "UNAVAILABLE" : "none");
        fuse.disarm();
        await stack.collectGarbage();
        expect((await stack.keys("blobs/")).map((key) => key.slice(-64)).sort()).toEqual(
          [...stack.catalog.referenced].sort(),
        );
        expect(await stack.keys("derived/")).toEqual([]);
        expect(await reasonOf(stack.read({ sha256: kept }))).toBe("none");
        if (!fuse.isBlown) {
          expect(step).toBeGreaterThan(10);
          break;
        }
      }
    },
  );
});

describe("a collector that stops between deciding and deleting", () => {
  it("cannot delete what was published meanwhile, however late it goes on", async () => {
    const stopped = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    let isArmed = true;
    const pausing = (blobs: Blobs): Blobs =>
      new Proxy(blobs, {
        get: (object, property) => {
          const value: unknown = Reflect.get(object, property, object);
          if (typeof value !== "function") return value;
          if (property !== "delete") return value.bind(object);
          return async (key: string) => {
            if (isArmed && key.startsWith("blobs/")) {
              isArmed = false;
              stopped.resolve();
              await goOn.promise;
            }
            return await object.delete(key);
          };
        },
      });
    stack = await Stack.start({ config: eager });
    const sleeper = await Stack.start({ besides: stack, config: eager, wrap: pausing });
    const bytes = packageOf("again");
    const sha256 = await stack.publish(bytes);
    stack.catalog.referenced.delete(sha256);
    const late = sleeper.collectGarbage();
    await stopped.promise;

    await stack.publish(bytes);
    expect((await stack.read({ sha256 })).bytes.equals(bytes)).toBe(true);
    await stack.collectGarbage();
    goOn.resolve();
    await late;
    expect((await stack.read({ sha256 })).bytes.equals(bytes)).toBe(true);
    await stack.collectGarbage();
    expect((await stack.keys("blobs/")).map((key) => key.slice(-64))).toEqual([sha256]);
    await sleeper.leave();
  });
});

describe("collectors of two replicas beside publishers of the same content", () => {
  it("never take what was committed while it is referred to", async () => {
    stack = await Stack.start({ config: eager });
    const other = await Stack.start({ besides: stack, config: eager });
    const contents = ["one", "two"].map(packageOf);
    const references = new Map<string, number>();
    const refer = (digest: string, by: number): void => {
      const count = (references.get(digest) ?? 0) + by;
      references.set(digest, count);
      if (count > 0) stack.catalog.referenced.add(digest);
      else stack.catalog.referenced.delete(digest);
    };
    let isOver = false;
    const collect = async (replica: Stack): Promise<number> => {
      let deleted = 0;
      while (!isOver) deleted += (await replica.collectGarbage()).deletedBlobs;
      return deleted;
    };
    const publish = async (replica: Stack, bytes: Buffer): Promise<void> => {
      const upload = await replica.upload(bytes);
      refer(upload.sha256, 1);
      const committed = await reasonOf(replica.commit(upload.id));
      expect(["none", "BLOB_BUSY", "UPLOAD_NOT_FOUND"]).toContain(committed);
      if (committed === "none") {
        expect((await replica.read({ sha256: upload.sha256 })).bytes.equals(bytes)).toBe(true);
      }
      refer(upload.sha256, -1);
    };
    const publisher = async (replica: Stack, times: number): Promise<void> => {
      for (let n = 0; n < times; n++) await publish(replica, contents[n % contents.length] ?? Buffer.alloc(0));
    };
    const collecting = [collect(stack), collect(other)];
    await Promise.all([publisher(stack, 20), publisher(stack, 20), publisher(other, 20)]);
    isOver = true;
    const deleted = (await Promise.all(collecting)).reduce((sum, count) => sum + count, 0);
    expect(deleted).toBeGreaterThan(3);
    await stack.collectGarbage();
    expect(await stack.keys()).toEqual([]);
    await other.leave();
  });
});
