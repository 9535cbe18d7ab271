import { createHash } from "node:crypto";
import { mkdtemp, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  failure,
  freshKey,
  freshPrefix,
  generated,
  keysBelow,
  MemoryPeak,
  putBytes,
  readBytes,
  type Store,
  sourceOf,
} from "./support.ts";

const mebibyte = 1024 * 1024;
/** Buffers on the way, of streams and of the network's; well under the 20 MiB that go through. */
const bound = 12 * mebibyte;

export function describeWrites(store: Store): void {
  describe("put", () => {
    it("makes an object that stat, read and list show", async () => {
      const { blobs } = store();
      const prefix = freshPrefix();
      const before = Date.now();
      expect(await putBytes(blobs, `${prefix}a.bin`, Buffer.from("bytes"))).toBe("created");
      const found = await blobs.stat(`${prefix}a.bin`);
      expect(found).toMatchObject({ key: `${prefix}a.bin`, size: 5 });
      // Stores tell whole seconds, and their clock may be another machine's.
      expect(Math.abs((found?.modifiedAt.getTime() ?? 0) - before)).toBeLessThan(3_600_000);
      expect((await readBytes(blobs, `${prefix}a.bin`)).toString()).toBe("bytes");
      expect(await Array.fromAsync(blobs.list(prefix))).toMatchObject([{ key: `${prefix}a.bin`, size: 5 }]);
    });

    it("takes strings and chunks of any size, empty ones too", async () => {
      const { blobs } = store();
      const key = freshKey();
      const source = new PassThrough();
      for (const chunk of ["é", "", Buffer.alloc(0), Buffer.from("x"), "yz"]) source.write(chunk);
      source.end();
      expect(await blobs.put(key, source, { size: 5, contentType: "text/plain" })).toBe("created");
      expect((await readBytes(blobs, key)).toString()).toBe("éxyz");
    });

    it("leaves an object that is there as it is, and does away with the source", async () => {
      const { blobs } = store();
      const key = freshKey();
      await putBytes(blobs, key, Buffer.from("first"));
      const second = sourceOf(Buffer.from("other"));
      expect(await blobs.put(key, second, { size: 5 })).toBe("exists");
      expect(second.destroyed).toBe(true);
      expect((await readBytes(blobs, key)).toString()).toBe("first");
    });

    it("keeps empty objects", async () => {
      const { blobs } = store();
      const key = freshKey();
      expect(await putBytes(blobs, key, Buffer.alloc(0))).toBe("created");
      expect(await blobs.stat(key)).toMatchObject({ size: 0 });
      expect(await readBytes(blobs, key)).toHaveLength(0);
      expect(await putBytes(blobs, key, Buffer.alloc(0))).toBe("exists");
    });

    it("carries 20 MiB both ways in little memory", async () => {
      const { blobs } = store();
      const key = freshKey();
      const { source, digest, peak } = generated(320, 65_536);
      expect(await blobs.put(key, source, { size: 20 * mebibyte })).toBe("created");
      expect(peak.bytes).toBeLessThan(bound);
      const hash = createHash("sha256");
      const reading = new MemoryPeak();
      let chunks = 0;
      for await (const chunk of await blobs.read(key)) {
        hash.update(chunk);
        if (chunks++ % 8 === 0) reading.sample();
      }
      expect(hash.digest("hex")).toBe(digest());
      expect(reading.bytes).toBeLessThan(bound);
    });

    it.each([
      ["small", 1000],
      ["large", 2 * mebibyte],
    ])("lets one of twenty %s writers at once win, and tells the others", async (_, size) => {
      const { blobs } = store();
      const key = freshKey();
      const writers = Array.from({ length: 20 }, (_, index) => Buffer.alloc(size, index + 1));
      const results = await Promise.all(writers.map((bytes) => putBytes(blobs, key, bytes)));
      expect(results.filter((result) => result === "created")).toHaveLength(1);
      const winner = writers[results.indexOf("created")];
      expect((await readBytes(blobs, key)).equals(winner ?? Buffer.alloc(0))).toBe(true);
      expect(await keysBelow(blobs, key.slice(0, -"object".length))).toEqual([key]);
    });

    it("shows nothing before the last byte came", async () => {
      const { blobs } = store();
      const key = freshKey();
      const source = new PassThrough();
      const writing = blobs.put(key, source, { size: 300_000 });
      source.write(Buffer.alloc(299_999));
      await new Promise((resolve) => source.once("drain", resolve));
      expect(await blobs.stat(key)).toBeUndefined();
      expect(await keysBelow(blobs, key.slice(0, -"object".length))).toEqual([]);
      source.end(Buffer.alloc(1));
      expect(await writing).toBe("created");
      expect(await blobs.stat(key)).toMatchObject({ size: 300_000 });
    });
  });

  describe("putFile", () => {
    let folder = "";
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), "blobs-"));
    });
    afterAll(() => rm(folder, { recursive: true, force: true }));

    it("makes an object of a file, once", async () => {
      const { blobs } = store();
      const key = freshKey();
      await writeFile(join(folder, "one"), "from a file");
      await writeFile(join(folder, "two"), "FROM A FILE");
      expect(await blobs.putFile(key, join(folder, "one"), { size: 11 })).toBe("created");
      expect(await blobs.putFile(key, join(folder, "two"), { size: 11 })).toBe("exists");
      expect((await readBytes(blobs, key)).toString()).toBe("from a file");
    });

    it("does not take a symbolic link for a file of its own", async () => {
      const { blobs } = store();
      const key = freshKey();
      await writeFile(join(folder, "target"), "target");
      await symlink(join(folder, "target"), join(folder, "link"));
      expect(await blobs.putFile(key, join(folder, "link"), { size: 6 })).toBe("created");
      await rm(join(folder, "target"));
      expect((await readBytes(blobs, key)).toString()).toBe("target");
    });

    it("refuses a file of another size and leaves it", async () => {
      const { blobs } = store();
      const key = freshKey();
      await writeFile(join(folder, "short"), "short");
      expect(await failure(blobs.putFile(key, join(folder, "short"), { size: 6 }))).toMatchObject({
        reason: "SIZE_MISMATCH",
      });
      expect(await blobs.stat(key)).toBeUndefined();
      expect((await stat(join(folder, "short"))).size).toBe(5);
    });
  });
}
