import { Readable } from "node:stream";
import type { Blobs, PresignOptions } from "@registry/blobs";
import type { CallOptions } from "@registry/kit";
import { gunzipSync, unzipSync } from "fflate";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { derivedKey } from "./model/keys.ts";
import { noise, pluginFiles, sha256Of, tarGzOf, zipOf } from "./testing/packages.ts";
import { reasonOf, Stack } from "./testing/stack.ts";

const files = pluginFiles({ name: "reader", extra: { "data.bin": noise(600_000), "empty.txt": new Uint8Array() } });
const zip = zipOf(files);
const sha256 = sha256Of(zip);

let stack: Stack;
beforeAll(async () => {
  stack = await Stack.start();
  await stack.publish(zip);
});
afterAll(() => stack.close());

/** Names in a tar, read as its format says: 512-byte headers, each followed by its content. */
function tarNames(tar: Uint8Array): string[] {
  const names: string[] = [];
  const text = (from: number, to: number): string => Buffer.from(tar.subarray(from, to)).toString("latin1");
  for (let at = 0; tar[at] !== undefined && tar[at] !== 0; ) {
    names.push(text(at, at + 100).replace(/\0.*$/s, ""));
    const size = Number.parseInt(text(at + 124, at + 135), 8);
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return names;
}

describe("a range", () => {
  it.each([
    { offset: 0, length: 1 },
    { offset: 1000, length: 300_000 },
    { offset: 5, length: 0 },
    { offset: zip.length - 1, length: 10 },
    { offset: 0, length: zip.length * 2 },
  ])("of $length bytes from $offset is what lies there", async ({ offset, length }) => {
    const answer = await stack.read({ sha256, offset, length });
    expect(answer.size).toBe(zip.length);
    expect(answer.bytes.equals(zip.subarray(offset, length === 0 ? undefined : offset + length))).toBe(true);
  });

  it("behind the end is refused, and so is one that is none", async () => {
    expect(await reasonOf(stack.read({ sha256, offset: zip.length }))).toBe("RANGE_NOT_SATISFIABLE");
    expect(await reasonOf(stack.read({ sha256, offset: -1 }))).toBe("INVALID_RANGE");
    expect(await reasonOf(stack.read({ sha256, length: -1 }))).toBe("INVALID_RANGE");
  });
});

describe("a blob", () => {
  it("is not found where there is none", async () => {
    expect(await reasonOf(stack.read({ sha256: "0".repeat(64) }))).toBe("BLOB_NOT_FOUND");
    expect(await reasonOf(stack.read({ sha256: "no digest" }))).toBe("INVALID_DIGEST");
  });

  it("that was cut short in the store fails instead of ending early", async () => {
    const short = await Stack.start();
    const digest = await short.publish(zip);
    const key = `blobs/sha256/${digest.slice(0, 2)}/${digest}`;
    await short.blobs.delete(key);
    await short.blobs.put(key, Readable.from([zip.subarray(0, 1000)]), { size: 1000 });
    expect(await reasonOf(short.read({ sha256: digest }))).toBe("BLOB_DAMAGED");
    expect(await reasonOf(short.read({ sha256: digest, packing: "PACKING_TAR_GZ", topFolder: "a" }))).toBe(
      "BLOB_DAMAGED",
    );
    expect(await short.localFiles()).toEqual([]);
    await short.close();
  });

  it("frees what it holds when its reader goes away", async () => {
    for await (const { part } of stack.storage.readBlob({ sha256 }, stack.asService("gateway"))) {
      if (part?.$case === "chunk") break;
    }
    const controller = new AbortController();
    const stream = stack.storage.readBlob({ sha256 }, { ...stack.asService("gateway"), signal: controller.signal });
    const iterator = stream[Symbol.asyncIterator]();
    await iterator.next();
    controller.abort();
    expect(await reasonOf(iterator.next())).toBe("CANCELLED");
  });
});

describe("a ticket", () => {
  it("opens exactly its bytes until it expires", async () => {
    const other = await stack.publish(zipOf(pluginFiles({ name: "other" })));
    const read = (ticket: string) => reasonOf(stack.read({ sha256, ticket }, stack.asPublisher()));
    expect(await read("")).toBe("INVALID_TICKET");
    expect(await read("nonsense")).toBe("INVALID_TICKET");
    expect(await read(stack.ticket(other))).toBe("INVALID_TICKET");
    expect(await read(stack.ticket(sha256))).toBe("none");
    expect(await reasonOf(stack.read({ sha256, ticket: stack.ticket(sha256) }, {}))).toBe("none");
    expect(await read(stack.ticket(sha256, 0))).toBe("INVALID_TICKET");
    const ticket = stack.ticket(sha256);
    stack.surroundings.clock.advance(60_000);
    expect(await read(ticket)).toBe("INVALID_TICKET");
  });

  it("is asked for on every way to the bytes, and what is not there looks the same without one", async () => {
    const as = stack.asPublisher();
    expect(await reasonOf(stack.readFile(sha256, "README.md", as))).toBe("INVALID_TICKET");
    expect(await reasonOf(stack.storage.presignBlob({ sha256, expiresSeconds: 60 }, as))).toBe("INVALID_TICKET");
    expect(await reasonOf(stack.read({ sha256: "0".repeat(64) }, as))).toBe("INVALID_TICKET");
    expect(await reasonOf(stack.read({ sha256 }, stack.asService("catalog")))).toBe("INVALID_TICKET");
  });
});

describe("a derived packing", () => {
  const asked = { sha256, packing: "PACKING_TAR_GZ", topFolder: "reader" } as const;

  it("holds everything below its top folder, is the same each time and can be read in parts", async () => {
    const first = await stack.read(asked);
    expect(first.derived).toBe(true);
    expect(first.sha256).toBe(sha256Of(first.bytes));
    expect(first.size).toBe(first.bytes.length);
    expect(tarNames(gunzipSync(first.bytes))).toEqual(
      Object.keys(files)
        .map((path) => `reader/${path}`)
        .sort(),
    );
    const part = await stack.read({ ...asked, offset: 10, length: 50 });
    expect(part.bytes.equals(first.bytes.subarray(10, 60))).toBe(true);

    const key = derivedKey(sha256 as never, "tar.gz", "reader");
    expect(await stack.keys("derived/")).toContain(key);
    await stack.blobs.delete(key);
    const again = await stack.read(asked);
    expect(again.bytes.equals(first.bytes)).toBe(true);
    expect(await stack.localFiles()).toEqual([]);
  });

  it("is made once for all who want it at once, though some of them leave", async () => {
    const request = { ...asked, topFolder: "at-once" };
    const controller = new AbortController();
    const leaving = reasonOf(stack.read(request, { ...stack.asService("gateway"), signal: controller.signal }));
    const staying = Array.from({ length: 8 }, () => stack.read(request));
    controller.abort();
    expect(await leaving).toBe("CANCELLED");
    const digests = new Set((await Promise.all(staying)).map((answer) => answer.sha256));
    expect(digests.size).toBe(1);
  });

  it("that is there without a record is measured, not trusted", async () => {
    const request = { ...asked, topFolder: "unrecorded" };
    const first = await stack.read(request);
    const derived = await stack.documents.collection({ name: "derived", indexes: [] });
    await derived.deleteMany({});
    expect(await stack.read(request)).toEqual(first);
  });

  it("is the original where that has the form already", async () => {
    expect(await stack.read({ sha256, packing: "PACKING_ZIP" })).toMatchObject({ derived: false, sha256 });
    const tarGz = await tarGzOf(pluginFiles({ name: "tarred" }), "tarred");
    const digest = await stack.publish(tarGz);
    const tar = { sha256: digest, packing: "PACKING_TAR_GZ" } as const;
    expect(await stack.read({ ...tar, topFolder: "tarred" })).toMatchObject({ derived: false, sha256: digest });
    expect(await stack.read({ ...tar, topFolder: "package" })).toMatchObject({ derived: true });
    const zipped = await stack.read({ sha256: digest, packing: "PACKING_ZIP" });
    expect(zipped.derived).toBe(true);
    expect(Object.keys(unzipSync(zipped.bytes)).sort()).toEqual(Object.keys(pluginFiles()).sort());
  });

  it.each(["", "..", "a/b", "/a", "a\\b", ".hidden", "a\u0000", "@a/b/c"])(
    "has no top folder %j",
    async (topFolder) => {
      expect(await reasonOf(stack.read({ ...asked, topFolder }))).toBe("INVALID_TOP_FOLDER");
    },
  );

  it("may lie below a scoped name", async () => {
    const answer = await stack.read({ ...asked, topFolder: "@team/reader" });
    expect(tarNames(gunzipSync(answer.bytes))).toContain("@team/reader/plugin.yaml");
  });
});

describe("a file of a package", () => {
  it("is read out of every container", async () => {
    expect((await stack.readFile(sha256, "src/weather.py")).toString()).toBe("class Tool:\n    pass\n");
    expect((await stack.readFile(sha256, "data.bin")).equals(Buffer.from(files["data.bin"] ?? []))).toBe(true);
    expect(await stack.readFile(sha256, "empty.txt")).toHaveLength(0);
    const digest = await stack.publish(await tarGzOf(pluginFiles({ name: "in-tar" }), "in-tar"));
    expect((await stack.readFile(digest, "README.md")).toString()).toBe("# Weather\n");
    expect(await stack.localFiles()).toEqual([]);
  });

  it.each(["nothing", "../LICENSE", "src", "src/", "/LICENSE"])("is not found at %j", async (path) => {
    expect(await reasonOf(stack.readFile(sha256, path))).toBe("FILE_NOT_FOUND");
  });

  it("is not found either where it is not known what the package holds", async () => {
    await (await stack.documents.collection({ name: "contents", indexes: [] })).deleteMany({});
    expect(await reasonOf(stack.readFile(sha256, "nothing"))).toBe("FILE_NOT_FOUND");
    expect((await stack.readFile(sha256, "LICENSE")).toString()).toBe("MIT\n");
    expect(await reasonOf(stack.readFile(sha256, ""))).toBe("INVALID_PATH");
  });
});

describe("a presigned URL", () => {
  it("outlives no ticket: nobody but the gateway has one for longer, or says what a browser takes the bytes for", async () => {
    const signed: PresignOptions[] = [];
    const presignGet: Blobs["presignGet"] = async (_key, options) => {
      signed.push(options);
      return "https://store.example/signed";
    };
    const wrap = (blobs: Blobs): Blobs => Object.assign(blobs, { presignGet });
    const own = await Stack.start({ wrap });
    const digest = await own.publish(zip);
    const ask = (as: CallOptions, more: object) => {
      const request = { sha256: digest, ticket: own.ticket(digest), ...more };
      return reasonOf(own.storage.presignBlob(request, as));
    };
    const page = { filename: "a.html", contentType: "text/html" };
    expect(await ask(own.asPublisher(), { expiresSeconds: 61 })).toBe("INVALID_EXPIRY");
    expect(await ask(own.asPublisher(), { expiresSeconds: 60, ...page })).toBe("none");
    expect(await ask(own.asService("gateway"), { expiresSeconds: 3600, ...page })).toBe("none");
    expect(signed).toEqual([
      { expiresSeconds: 60, filename: "a.html", contentType: "application/octet-stream" },
      { expiresSeconds: 3600, ...page },
    ]);
    await own.close();
  });

  it("is empty where the store has none, and refused where its life is none", async () => {
    const as = stack.asService("gateway");
    const { url } = await stack.storage.presignBlob({ sha256, expiresSeconds: 60 }, as);
    expect(url).toBe("");
    expect(await reasonOf(stack.storage.presignBlob({ sha256, expiresSeconds: 0 }, as))).toBe("INVALID_EXPIRY");
    expect(await reasonOf(stack.storage.presignBlob({ sha256, expiresSeconds: 3601 }, as))).toBe("INVALID_EXPIRY");
    const missing = stack.storage.presignBlob({ sha256: "0".repeat(64), expiresSeconds: 60 }, as);
    expect(await reasonOf(missing)).toBe("BLOB_NOT_FOUND");
  });
});
