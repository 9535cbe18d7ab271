import { describe, expect, it } from "vitest";
import { failure, freshKey, freshPrefix, keysBelow, putBytes, readBytes, type Store } from "./support.ts";

export function describeMoves(store: Store): void {
  describe("move", () => {
    it("gives an object another key", async () => {
      const { blobs } = store();
      const [from, to] = [freshKey(), freshKey()];
      await putBytes(blobs, from, Buffer.from("moved"));
      expect(await blobs.move(from, to)).toBe("created");
      expect(await blobs.stat(from)).toBeUndefined();
      expect((await readBytes(blobs, to)).toString()).toBe("moved");
    });

    it("leaves what is at the target, and removes the source all the same", async () => {
      const { blobs } = store();
      const [from, to] = [freshKey(), freshKey()];
      await putBytes(blobs, from, Buffer.from("source"));
      await putBytes(blobs, to, Buffer.from("target"));
      expect(await blobs.move(from, to)).toBe("exists");
      expect(await blobs.stat(from)).toBeUndefined();
      expect((await readBytes(blobs, to)).toString()).toBe("target");
    });

    it("may be asked for again", async () => {
      const { blobs } = store();
      const [from, to] = [freshKey(), freshKey()];
      await putBytes(blobs, from, Buffer.from("once"));
      await blobs.move(from, to);
      expect(await blobs.move(from, to)).toBe("exists");
      expect((await readBytes(blobs, to)).toString()).toBe("once");
    });

    it("has nothing to move where there is neither", async () => {
      const expected = { kind: "not_found", reason: "BLOB_NOT_FOUND" };
      expect(await failure(store().blobs.move(freshKey(), freshKey()))).toEqual(expected);
      const key = freshKey();
      expect(await failure(store().blobs.move(key, key))).toEqual(expected);
    });

    it("leaves an object that is moved onto itself", async () => {
      const { blobs } = store();
      const key = freshKey();
      await putBytes(blobs, key, Buffer.from("stays"));
      expect(await blobs.move(key, key)).toBe("exists");
      expect((await readBytes(blobs, key)).toString()).toBe("stays");
    });

    it("never loses an object to several movers at once", async () => {
      const { blobs } = store();
      const [from, to] = [freshKey(), freshKey()];
      await putBytes(blobs, from, Buffer.from("kept"));
      const results = await Promise.all(Array.from({ length: 10 }, () => blobs.move(from, to)));
      expect(results).toContain("created");
      expect(await blobs.stat(from)).toBeUndefined();
      expect((await readBytes(blobs, to)).toString()).toBe("kept");
    });
  });

  describe("delete", () => {
    it("removes an object and says whether there was one", async () => {
      const { blobs } = store();
      const key = freshKey();
      await putBytes(blobs, key, Buffer.from("x"));
      expect(await blobs.delete(key)).toBe(true);
      expect(await blobs.delete(key)).toBe(false);
      expect(await blobs.stat(key)).toBeUndefined();
      expect(await putBytes(blobs, key, Buffer.from("again"))).toBe("created");
    });

    it("and put of neighbours do not get into each other's way", async () => {
      const { blobs } = store();
      const prefix = freshPrefix();
      const rounds = Array.from({ length: 30 }, (_, index) => `${prefix}deep/er/${index % 3}/${index}`);
      await Promise.all(
        rounds.map(async (key) => {
          expect(await putBytes(blobs, key, Buffer.from(key))).toBe("created");
          expect(await blobs.delete(key)).toBe(true);
        }),
      );
      expect(await keysBelow(blobs, prefix)).toEqual([]);
    });
  });
}
