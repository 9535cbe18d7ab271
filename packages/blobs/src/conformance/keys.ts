import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Blobs } from "../port.ts";
import { failure, freshKey, freshPrefix, keysBelow, putBytes, readBytes, type Store, sourceOf } from "./support.ts";

const hostile = [
  "",
  "/",
  "/etc/passwd",
  "..",
  "../up",
  "a/../b",
  "a/..",
  "a/./b",
  "a//b",
  "a/",
  ".tmp/x",
  "a/.hidden",
  "a\0b",
  "a\\..\\b",
  "C:/x",
  "A/b",
  "a b",
  "a?b",
  "a%2e%2e/b",
  "é",
  "a\n",
  "0123",
  `a/${"x".repeat(201)}`,
  `a${"/x".repeat(128)}`,
];

/** Every way in, with a key. */
const uses: Record<string, (blobs: Blobs, key: string) => Promise<unknown>> = {
  put: (blobs, key) => blobs.put(key, sourceOf(Buffer.from("x")), { size: 1 }),
  putFile: (blobs, key) => blobs.putFile(key, "/dev/null", { size: 0 }),
  "move from": (blobs, key) => blobs.move(key, freshKey()),
  "move to": (blobs, key) => blobs.move(freshKey(), key),
  stat: (blobs, key) => blobs.stat(key),
  read: (blobs, key) => blobs.read(key),
  delete: (blobs, key) => blobs.delete(key),
  presignGet: (blobs, key) => blobs.presignGet(key, { expiresSeconds: 60 }),
};

export function describeKeys(store: Store): void {
  describe("keys", () => {
    it.each(Object.keys(uses))("that are none are refused by %s", async (name) => {
      for (const key of hostile) {
        const expected = { kind: "invalid_argument", reason: "INVALID_BLOB_KEY" };
        expect(await failure(Promise.resolve(uses[name]?.(store().blobs, key))), JSON.stringify(key)).toEqual(expected);
      }
    });

    it("of any form that is allowed come back as they went", async () => {
      const part = fc.stringMatching(/^[a-z0-9_-][a-z0-9_.-]{0,30}$/);
      await fc.assert(
        fc.asyncProperty(fc.array(part, { minLength: 1, maxLength: 5 }), async (parts) => {
          const { blobs } = store();
          const prefix = freshPrefix();
          const key = `${prefix}${parts.join("/")}`;
          expect(await putBytes(blobs, key, Buffer.from(key))).toBe("created");
          expect(await keysBelow(blobs, prefix)).toEqual([key]);
          expect((await readBytes(blobs, key)).toString()).toBe(key);
          expect(await blobs.delete(key)).toBe(true);
        }),
        { numRuns: 25 },
      );
    });

    it("may have 256 characters, 200 in one part", async () => {
      const { blobs } = store();
      const prefix = freshPrefix();
      const key = `${prefix}${"x".repeat(200)}/`.padEnd(256, "y");
      expect(await putBytes(blobs, key, Buffer.from("long"))).toBe("created");
      expect(await keysBelow(blobs, prefix)).toEqual([key]);
    });
  });

  describe("list", () => {
    it("shows all below a prefix, however many and deep, and nothing beside it", async () => {
      const { blobs } = store();
      const prefix = freshPrefix();
      const keys = Array.from({ length: 1100 }, (_, index) => `${prefix}in/${index % 7}/${index}`);
      for (let at = 0; at < keys.length; at += 50) {
        await Promise.all(keys.slice(at, at + 50).map((key) => putBytes(blobs, key, Buffer.from("."))));
      }
      await putBytes(blobs, `${prefix}inside`, Buffer.from("beside"));
      await putBytes(blobs, `${prefix}in-2/x`, Buffer.from("beside"));
      expect(await keysBelow(blobs, `${prefix}in/`)).toEqual([...keys].sort());
      expect(await keysBelow(blobs, `${prefix}none/`)).toEqual([]);
      expect(await keysBelow(blobs, "")).toEqual(expect.arrayContaining([`${prefix}inside`, `${prefix}in-2/x`]));
    });

    it("may be left early", async () => {
      const { blobs } = store();
      const prefix = freshPrefix();
      await Promise.all(["a/1", "a/2", "b/3"].map((key) => putBytes(blobs, `${prefix}${key}`, Buffer.from("."))));
      let seen = 0;
      for await (const found of blobs.list(prefix)) {
        expect(found.size).toBe(1);
        seen++;
        break;
      }
      expect(seen).toBe(1);
    });

    it.each(["a", "/", "../", "a//", "a/../", ".tmp/", "a\0/"])("takes no prefix %j", async (prefix) => {
      const expected = { kind: "invalid_argument", reason: "INVALID_BLOB_PREFIX" };
      expect(await failure(keysBelow(store().blobs, prefix))).toEqual(expected);
    });
  });
}
