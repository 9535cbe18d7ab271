import { PassThrough, Readable } from "node:stream";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { eventually, expectNothingAt, failure, freshKey, openHandles, type Store, sourceOf } from "./support.ts";

/** A source that gives `before`, then fails. */
function failing(before: readonly Uint8Array[], error: Error): Readable {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    yield* before;
    throw error;
  }
  return Readable.from(chunks(), { objectMode: false });
}

export function describeFailedWrites(store: Store): void {
  describe("a write that fails leaves nothing", () => {
    it("where more or fewer bytes come than were announced, in any chunks", async () => {
      const sizes = fc.tuple(fc.integer({ min: 0, max: 400_000 }), fc.integer({ min: 0, max: 400_000 }));
      const wrong = sizes.filter(([announced, came]) => announced !== came);
      const chunkBytes = fc.integer({ min: 1000, max: 300_000 });
      await fc.assert(
        fc.asyncProperty(wrong, chunkBytes, async ([size, came], chunk) => {
          const { blobs } = store();
          const key = freshKey();
          const source = sourceOf(Buffer.alloc(came, 7), chunk);
          expect(await failure(blobs.put(key, source, { size }))).toEqual({
            kind: "invalid_argument",
            reason: "SIZE_MISMATCH",
          });
          expect(source.destroyed).toBe(true);
          await expectNothingAt(blobs, key);
        }),
        {
          numRuns: 25,
          examples: [
            [[0, 1], 1000],
            [[1, 0], 1000],
            [[65_536, 65_537], 65_536],
            [[65_537, 65_536], 65_536],
          ],
        },
      );
    });

    it.each([
      ["at once", 0],
      ["half way", 100_000],
      ["after its last byte", 200_000],
    ])("where the source fails %s: its own error comes back", async (_, came) => {
      const { blobs } = store();
      const key = freshKey();
      const error = new Error("the client went away");
      const source = failing(came === 0 ? [] : [Buffer.alloc(came)], error);
      await expect(blobs.put(key, source, { size: 200_000 })).rejects.toBe(error);
      await expectNothingAt(blobs, key);
    });

    it("where the source was destroyed before", async () => {
      const { blobs } = store();
      const key = freshKey();
      const source = sourceOf(Buffer.alloc(10));
      source.destroy();
      await expect(blobs.put(key, source, { size: 10 })).rejects.toThrow();
      await expectNothingAt(blobs, key);
    });

    it("where it is aborted half way, though the source gives nothing more", async () => {
      const { blobs } = store();
      const key = freshKey();
      const abort = new AbortController();
      const source = new PassThrough();
      const writing = failure(blobs.put(key, source, { size: 1_000_000, signal: abort.signal }));
      source.write(Buffer.alloc(500_000));
      await new Promise((resolve) => source.once("drain", resolve));
      abort.abort();
      expect(await writing).toEqual({ kind: "cancelled", reason: "CANCELLED" });
      expect(source.destroyed).toBe(true);
      await expectNothingAt(blobs, key);
    });

    it("where it was aborted before", async () => {
      const { blobs } = store();
      const key = freshKey();
      const source = sourceOf(Buffer.alloc(10));
      const options = { size: 10, signal: AbortSignal.abort() };
      expect(await failure(blobs.put(key, source, options))).toEqual({ kind: "cancelled", reason: "CANCELLED" });
      expect(source.destroyed).toBe(true);
      await expectNothingAt(blobs, key);
    });

    it("and holds nothing open", async () => {
      const { blobs } = store();
      const before = await openHandles();
      for (let round = 0; round < 20; round++) {
        const source = failing([Buffer.alloc(100_000)], new Error("gone"));
        await expect(blobs.put(freshKey(), source, { size: 200_000 })).rejects.toThrow("gone");
      }
      await eventually(async () => expect(await openHandles()).toBeLessThanOrEqual((before ?? 0) + 3));
    });

    it.each([
      ["a negative size", { size: -1 }],
      ["half a byte", { size: 0.5 }],
      ["no size", { size: Number.NaN }],
      ["a line break in the content type", { size: 1, contentType: "a\r\nb: c" }],
    ])("where the options have %s", async (_, options) => {
      const { blobs } = store();
      const key = freshKey();
      const source = sourceOf(Buffer.alloc(1));
      expect(await failure(blobs.put(key, source, options))).toMatchObject({ kind: "invalid_argument" });
      expect(source.destroyed).toBe(true);
      await expectNothingAt(blobs, key);
    });
  });
}
