import { Packing, StorageServiceDefinition } from "@registry/contracts/storage";
import { unavailable } from "@registry/domain";
import { createTestSurroundings } from "@registry/kit/testing";
import { afterEach, beforeEach, expect, it } from "vitest";
import { Blobs } from "./blobs.ts";
import { fakeService } from "./testing/fakes.ts";

const size = 4 * 1024 * 1024;
const ref = { sha256: "ab".repeat(32), size, packing: Packing.PACKING_ORIGINAL, topFolder: "" };
const allowedMs = 300;

let around: ReturnType<typeof createTestSurroundings>;
let blobs: Blobs;
/** What the store does, from the given byte on. */
let behaves: (offset: number, signal: AbortSignal) => AsyncGenerator<Uint8Array>;
let asked: number;

beforeEach(() => {
  asked = 0;
  around = createTestSurroundings();
  const storage = fakeService(StorageServiceDefinition, {
    async *readBlob({ offset }, { signal }) {
      asked += 1;
      for await (const value of behaves(offset, signal)) yield { part: { $case: "chunk" as const, value } };
    },
  });
  around.host(storage);
  blobs = new Blobs(around.clients.of(StorageServiceDefinition), around.clock, 0);
});
afterEach(() => around.close());

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function read(): Promise<number> {
  const deadline = new Date(around.clock.now().getTime() + allowedMs);
  const signal = new AbortController().signal;
  let bytes = 0;
  const context = { authorization: undefined, address: undefined, requestId: "r", signal, deadline };
  for await (const chunk of blobs.read(ref, 0, size, context)) bytes += chunk.length;
  return bytes;
}

it("waits for a store that says nothing no longer than its reader does, and asks it no more after that", async () => {
  behaves = async function* (_offset, signal) {
    await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    yield new Uint8Array();
  };
  await expect(read()).rejects.toMatchObject({ kind: "deadline_exceeded" });
  expect(asked).toBe(1);
});

it("ends in time also where the store only fails again and again after a while", async () => {
  behaves = async function* () {
    await pause(allowedMs * 0.7);
    yield* [];
    throw unavailable("The blob store");
  };
  await expect(read()).rejects.toMatchObject({ kind: "deadline_exceeded" });
  expect(asked).toBe(2);
});

it("takes as long as it takes once bytes come", async () => {
  behaves = async function* (offset) {
    for (let at = offset; at < size; at += size / 4) {
      yield new Uint8Array(size / 4);
      await pause(allowedMs / 2);
    }
  };
  expect(await read()).toBe(size);
});
