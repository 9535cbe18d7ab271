import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { blobKey, derivedFrom, derivedKey, parseBlobKey } from "../model/keys.ts";
import { sha256Of } from "../testing/packages.ts";
import { inChunks } from "./chunks.ts";
import { Workspace } from "./workspace.ts";

describe("chunks", () => {
  it("are the same bytes in pieces of one size", async () => {
    const pieces = fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(pieces, fc.integer({ min: 1, max: 60 }), async (parts, size) => {
        async function* source() {
          for (const part of parts) yield Buffer.from(part);
        }
        const chunks: Buffer[] = [];
        for await (const chunk of inChunks(source(), size)) chunks.push(chunk);
        expect(Buffer.concat(chunks)).toEqual(Buffer.concat(parts));
        expect(chunks.slice(0, -1).every((chunk) => chunk.length === size)).toBe(true);
        expect(chunks.every((chunk) => chunk.length > 0 && chunk.length <= size)).toBe(true);
      }),
    );
  });
});

describe("keys", () => {
  const digest = sha256Of(Buffer.from("content")) as never;

  it("of blobs are told back", () => {
    for (const generation of [0, 1, 12]) {
      expect(parseBlobKey(blobKey(digest, generation))).toEqual({ digest, generation });
    }
    for (const key of [`blobs/sha256/00/${digest}`, `blobs/${digest}`, blobKey(digest, 0).slice(0, -1), "blobs/x"]) {
      expect(parseBlobKey(key)).toBeUndefined();
    }
  });

  it("of derived packings differ wherever what they hold differs, and name their source", () => {
    const folders = ["a", "A", "@a/b", "a-b", "a.b", ""];
    const keys = folders.flatMap((folder) => [derivedKey(digest, "tar.gz", folder), derivedKey(digest, "zip", folder)]);
    expect(new Set(keys).size).toBe(keys.length);
    expect(keys.every((key) => derivedFrom(key) === digest && /^[a-z][a-z0-9/_.-]+$/.test(key))).toBe(true);
  });
});

describe("the work directory", () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "workspace-test-"));
  });
  afterEach(() => rm(directory, { recursive: true }));

  it("is freed of what processes that are gone have left, and of nothing else", async () => {
    const workspace = new Workspace(directory, () => crypto.randomUUID());
    const own = await workspace.make();
    const [prefix] = own.slice(directory.length + 1).split(".");
    const left = async (name: string): Promise<void> => {
      await mkdir(join(directory, name));
      await writeFile(join(directory, name, "package"), "bytes");
    };
    const gone = `${prefix}.2147483000.${crypto.randomUUID()}`;
    const elsewhere = `${"0".repeat(12)}.1.${crypto.randomUUID()}`;
    const abandoned = `${"0".repeat(12)}.2.${crypto.randomUUID()}`;
    const predecessor = `${prefix}.${process.pid}.${crypto.randomUUID()}`;
    for (const name of [gone, elsewhere, abandoned, predecessor, "something else"]) await left(name);
    await utimes(join(directory, abandoned), new Date(0), new Date(0));
    const beforeStart = new Date(Date.now() - process.uptime() * 1000 - 10_000);
    await utimes(join(directory, predecessor), beforeStart, beforeStart);
    expect(await workspace.removeStale(new Date())).toBe(3);
    expect((await readdir(directory)).sort()).toEqual(
      [own.slice(directory.length + 1), elsewhere, "something else"].sort(),
    );
  });

  it("holds nothing once the work has ended, well or not", async () => {
    const workspace = new Workspace(directory, () => crypto.randomUUID());
    const failing = workspace.use(async (folder) => {
      await writeFile(join(folder, "package"), "bytes");
      throw new Error("failed");
    });
    await expect(failing).rejects.toThrow("failed");
    expect(await readdir(directory)).toEqual([]);
  });
});
