import { createHash, hash } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "vitest";
import { defaultArchiveLimits as limits } from "../limits.ts";
import { openArchive } from "../open.ts";
import { ownListing, yauzlNames } from "../test-support/readers.ts";
import { Scratch } from "../test-support/sample.ts";
import { hasTool, python } from "../test-support/tools.ts";
import type { SourceFile } from "./source.ts";
import { writeZip } from "./zip.ts";

let scratch: Scratch;
beforeAll(async () => {
  scratch = await Scratch.create();
});
afterAll(() => scratch.remove());

const MiB = 1024 * 1024;

/** Bytes that nothing compresses, the same on every run. */
const noise = (length: number): Buffer => createHash("shake256", { outputLength: length }).update("noise").digest();

function sourceOf(path: string, content: Buffer, piece = 64 * 1024): SourceFile {
  async function* read(): AsyncGenerator<Buffer> {
    for (let at = 0; at < content.length; at += piece) yield content.subarray(at, at + piece);
  }
  return { path, size: content.length, executable: false, read };
}

async function zipOf(files: readonly SourceFile[], storeAbove?: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of writeZip(files, storeAbove === undefined ? {} : { storeAbove })) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const zeros = Buffer.alloc(2 * MiB);
const contents: Readonly<Record<string, Buffer>> = {
  "a-noise.bin": noise(2 * MiB),
  "b-zeros.bin": zeros,
  "c-small-zeros.bin": Buffer.alloc(MiB),
  "d-text.txt": Buffer.from(Array.from({ length: 400_000 }, (_, i) => `line ${i}\n`).join("")),
};
const filesIn = (piece?: number) => Object.entries(contents).map(([path, bytes]) => sourceOf(path, bytes, piece));
const expected = Object.fromEntries(Object.entries(contents).map(([path, bytes]) => [path, hash("sha256", bytes)]));

it("stores what compresses beyond the ratio, and reads back as it was", async () => {
  const bytes = await zipOf(filesIn(), 50);
  const archive = await openArchive(await scratch.write(bytes), limits);
  try {
    expect(await ownListing(archive)).toEqual(expected);
  } finally {
    await archive.close();
  }
  expect(await yauzlNames(bytes)).toEqual(Object.keys(contents));
  const [plain, lone] = [await zipOf(filesIn()), await zipOf([sourceOf("b-zeros.bin", zeros)])];
  const deflated = lone.length - 22 - 2 * "b-zeros.bin".length - 30 - 46 - 16;
  // Nothing but the zeros is stored, and a stored entry needs no descriptor behind it.
  expect(bytes.length - plain.length).toBe(zeros.length - deflated - 16);
});

it.runIf(hasTool("python3", ["--version"]) || process.env.CI !== undefined)(
  "is read by another reader to the byte",
  async () => {
    const { path } = await scratch.write(await zipOf(filesIn(), 50));
    const script = `
import json, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as archive:
    assert archive.testzip() is None
    print(json.dumps({info.filename: [info.compress_type, info.file_size] for info in archive.infolist()}))`;
    const told: Record<string, [number, number]> = JSON.parse(python(script, [path]).toString());
    const methods = Object.entries(told).map(([name, [method]]) => [name, method]);
    expect(methods).toEqual([
      ["a-noise.bin", 8],
      ["b-zeros.bin", 0],
      ["c-small-zeros.bin", 8],
      ["d-text.txt", 8],
    ]);
  },
);

it("gives the same bytes however the content comes", async () => {
  const bytes = await zipOf(filesIn(), 50);
  expect((await zipOf(filesIn(3 * MiB).reverse(), 50)).equals(bytes)).toBe(true);
  expect((await zipOf(filesIn(100_003), 50)).equals(bytes)).toBe(true);
});

it("breaks off where the content is another one the second time", async () => {
  let reads = 0;
  const changing = { ...sourceOf("x", zeros), read: () => sourceOf("x", Buffer.alloc(2 * MiB, reads++)).read() };
  await expect(zipOf([changing], 50)).rejects.toThrow("changed");
});
