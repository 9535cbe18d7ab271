import { once } from "node:events";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { eventually, failure, freshKey, openHandles, putBytes, readBytes, type Store } from "./support.ts";

const size = 700_001;
const bytes = Buffer.from(Uint8Array.from({ length: size }, (_, index) => (index * 7) % 251));

export function describeReads(store: Store): void {
  describe("read", () => {
    const key = freshKey();
    beforeAll(async () => {
      await putBytes(store().blobs, key, bytes);
    });

    it("gives exactly the bytes of any range", async () => {
      const edge = fc.oneof(fc.integer({ min: 0, max: size - 1 }), fc.constantFrom(0, 1, 262_143, 262_144, size - 1));
      const length = fc.oneof(fc.integer({ min: 1, max: size }), fc.constantFrom(1, 262_144, size, size + 10));
      await fc.assert(
        fc.asyncProperty(edge, length, fc.boolean(), async (start, count, open) => {
          const range = open ? { start } : { start, end: start + count - 1 };
          const expected = bytes.subarray(start, open ? size : start + count);
          expect((await readBytes(store().blobs, key, range)).equals(expected)).toBe(true);
        }),
        { numRuns: 40 },
      );
    });

    it("takes an end without a start", async () => {
      expect((await readBytes(store().blobs, key, { end: 9 })).equals(bytes.subarray(0, 10))).toBe(true);
    });

    it.each([size, size + 1, Number.MAX_SAFE_INTEGER])("has no byte %d to begin at", async (start) => {
      const expected = { kind: "out_of_range", reason: "RANGE_NOT_SATISFIABLE" };
      expect(await failure(store().blobs.read(key, { start }))).toEqual(expected);
    });

    it.each([{ start: -1 }, { start: 0.5 }, { start: Number.NaN }, { start: 5, end: 4 }, { end: -1 }, { end: 1.5 }])(
      "refuses the range %j",
      async (range) => {
        const expected = { kind: "invalid_argument", reason: "INVALID_RANGE" };
        expect(await failure(store().blobs.read(key, range))).toEqual(expected);
      },
    );

    it("gives an empty stream from byte 0 of an empty object, and has no byte 1", async () => {
      const { blobs } = store();
      const empty = freshKey();
      await putBytes(blobs, empty, Buffer.alloc(0));
      for (const range of [{}, { start: 0 }, { start: 0, end: 0 }, { end: 99 }]) {
        expect(await readBytes(blobs, empty, range)).toHaveLength(0);
      }
      expect(await failure(blobs.read(empty, { start: 1 }))).toMatchObject({ reason: "RANGE_NOT_SATISFIABLE" });
    });

    it("says that there is nothing, with and without a range", async () => {
      const expected = { kind: "not_found", reason: "BLOB_NOT_FOUND" };
      expect(await failure(store().blobs.read(freshKey()))).toEqual(expected);
      expect(await failure(store().blobs.read(freshKey(), { start: 5 }))).toEqual(expected);
    });

    it("frees what a destroyed reader held", async () => {
      const { blobs } = store();
      const before = await openHandles();
      for (let round = 0; round < 20; round++) {
        const reader = await blobs.read(key);
        await once(reader, "readable");
        reader.destroy();
        await eventually(() => expect(reader.closed).toBe(true));
      }
      await eventually(async () => expect(await openHandles()).toBeLessThanOrEqual((before ?? 0) + 3));
    });

    it("holds nothing open after a refusal", async () => {
      const { blobs } = store();
      const before = await openHandles();
      for (let round = 0; round < 20; round++) {
        expect(await failure(blobs.read(key, { start: size }))).toMatchObject({ kind: "out_of_range" });
      }
      expect(await openHandles()).toBeLessThanOrEqual((before ?? 0) + 3);
    });

    it("ends with the signal, before and in the middle", async () => {
      const { blobs } = store();
      const expected = { kind: "cancelled", reason: "CANCELLED" };
      expect(await failure(blobs.read(key, { signal: AbortSignal.abort() }))).toEqual(expected);
      const abort = new AbortController();
      const reader = await blobs.read(key, { signal: abort.signal });
      const reading = async (): Promise<void> => {
        for await (const _ of reader) abort.abort();
      };
      expect(await failure(reading())).toEqual(expected);
    });

    it("serves fifty readers at once", async () => {
      const { blobs } = store();
      const read = await Promise.all(Array.from({ length: 50 }, (_, start) => readBytes(blobs, key, { start })));
      expect(read.every((got, start) => got.equals(bytes.subarray(start)))).toBe(true);
    });
  });
}
