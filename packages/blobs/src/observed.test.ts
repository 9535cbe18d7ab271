import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { expect, it } from "vitest";
import { describeBlobs } from "./conformance.ts";
import { openFileBlobs } from "./files/open.ts";
import { observeBlobs } from "./observed.ts";

const folder = (): Promise<string> => mkdtemp(join(tmpdir(), "observed-blobs-"));

describeBlobs("An observed store", async () => {
  const directory = await folder();
  return {
    blobs: observeBlobs(await openFileBlobs({ directory }), (_, run) => run()),
    presigns: false,
    release: () => rm(directory, { recursive: true, force: true }),
  };
});

it("tells of every call that is about one object, and of its failure", async () => {
  const directory = await folder();
  const told: object[] = [];
  const blobs = observeBlobs(await openFileBlobs({ directory }), async (call, run) => {
    told.push(call);
    return await run().catch((error: unknown) => {
      told.push({ failed: call.operation });
      throw error;
    });
  });
  await blobs.put("a/1", Readable.from([Buffer.from("abc")]), { size: 3 });
  await blobs.move("a/1", "b/1");
  await expect(blobs.read("a/1")).rejects.toThrow();
  await blobs.delete("b/1");
  expect(told).toEqual([
    { operation: "put", key: "a/1", size: 3 },
    { operation: "move", key: "b/1" },
    { operation: "read", key: "a/1" },
    { failed: "read" },
    { operation: "delete", key: "b/1" },
  ]);
  await blobs.close();
  await rm(directory, { recursive: true, force: true });
});
