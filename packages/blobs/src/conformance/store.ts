import { describe, expect, it } from "vitest";
import { failure, freshKey, type Opened, putBytes, type Store } from "./support.ts";

export function describeStore(store: Store, open: () => Promise<Opened>): void {
  describe("presignGet", () => {
    it("gives a URL that needs no credentials, where the store has such", async () => {
      const { blobs, presigns } = store();
      const key = freshKey();
      await putBytes(blobs, key, Buffer.from("for everybody who has the URL"));
      const options = { expiresSeconds: 60, filename: "a plugin-1.0.0.zip", contentType: "application/zip" };
      const url = await blobs.presignGet(key, options);
      expect(url !== undefined).toBe(presigns);
      if (url === undefined) return;
      const answer = await fetch(url, { signal: AbortSignal.timeout(10_000) });
      expect(answer.status).toBe(200);
      expect(await answer.text()).toBe("for everybody who has the URL");
      expect(answer.headers.get("content-disposition")).toBe('attachment; filename="a plugin-1.0.0.zip"');
      expect(answer.headers.get("content-type")).toBe("application/zip");
      const other = await fetch(url.replace(key, freshKey()), { signal: AbortSignal.timeout(10_000) });
      expect(other.status).toBe(403);
    });

    it.each([
      { expiresSeconds: 0 },
      { expiresSeconds: 604_801 },
      { expiresSeconds: 1.5 },
      { expiresSeconds: 60, filename: 'a"; x="' },
      { expiresSeconds: 60, filename: "a\r\nb" },
      { expiresSeconds: 60, contentType: "a\r\nb" },
    ])("refuses %j", async (options) => {
      const expected = { kind: "invalid_argument", reason: "INVALID_PRESIGN" };
      expect(await failure(store().blobs.presignGet(freshKey(), options))).toEqual(expected);
    });
  });

  describe("the store", () => {
    it("answers a ping", async () => {
      await expect(store().blobs.ping()).resolves.toBeUndefined();
    });

    it("leaves no trace of pings and probes", async () => {
      const { blobs } = store();
      await blobs.ping();
      const keys = (await Array.fromAsync(blobs.list(""))).map(({ key }) => key);
      expect(keys.filter((key) => !key.startsWith("conformance/"))).toEqual([]);
    });

    it("takes no call after it was closed, and may be closed twice", async () => {
      const { blobs, release } = await open();
      await blobs.close();
      await blobs.close();
      const kind = "unavailable";
      expect(await failure(blobs.stat(freshKey()))).toMatchObject({ kind });
      expect(await failure(putBytes(blobs, freshKey(), Buffer.from("x")))).toMatchObject({ kind });
      expect(await failure(blobs.ping())).toMatchObject({ kind });
      await release?.();
    });
  });
}
