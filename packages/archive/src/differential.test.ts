import { rm } from "node:fs/promises";
import { gunzipSync, gzipSync } from "node:zlib";
import { isRegistryError } from "@registry/domain";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { inspectArchive } from "./inspect.ts";
import { defaultArchiveLimits as limits } from "./limits.ts";
import { type ArchiveFile, openArchive } from "./open.ts";
import { mutate, offsetsOf, randomFrom } from "./test-support/mutate.ts";
import {
  gnuTarNames,
  type Listing,
  ownListing,
  pythonListings,
  unzipNames,
  yauzlNames,
} from "./test-support/readers.ts";
import { plugin, Scratch } from "./test-support/sample.ts";
import { forgeTarGz, paxRecord, tarEntriesOf } from "./test-support/tar-forge.ts";
import { hasTool, python } from "./test-support/tools.ts";
import { entriesOf, extraField, type ForgedEntry, forgeZip } from "./test-support/zip-forge.ts";

const count = Number(process.env.ARCHIVE_MUTATIONS ?? 10_000);
const seed = Number(process.env.ARCHIVE_SEED ?? 20260101);
const readersThere = hasTool("python3", ["--version"]) && hasTool("unzip", ["-v"]) && hasTool("tar", ["--version"]);
const needed = readersThere || process.env.CI !== undefined;

let scratch: Scratch;
beforeAll(async () => {
  scratch = await Scratch.create();
});
afterAll(() => scratch.remove());

interface Accepted {
  readonly file: ArchiveFile;
  readonly bytes: Buffer;
  readonly own: Listing;
}

/** Keeps the file only if we accept it; any error but a refusal fails the test. */
async function tryOne(bytes: Buffer): Promise<Accepted | undefined> {
  const file = await scratch.write(bytes);
  try {
    const archive = await openArchive(file, limits, { spoolDirectory: scratch.path });
    try {
      return { file, bytes, own: await ownListing(archive) };
    } finally {
      await archive.close();
    }
  } catch (error) {
    await rm(file.path);
    if (isRegistryError(error)) return undefined;
    throw error;
  }
}

const base: readonly ForgedEntry[] = [...entriesOf(plugin), { name: "docs/sizes.md", content: "s".repeat(50) }];
const zipSeeds: readonly Buffer[] = [
  forgeZip(base),
  forgeZip([...base, { name: "docs/größe.md", content: "ß".repeat(50) }]),
  forgeZip(base.map((entry) => ({ ...entry, method: 0 }))),
  forgeZip(base.map((entry) => ({ ...entry, descriptor: "signed" as const }))),
  forgeZip(base.map((entry) => ({ ...entry, descriptor: "bare" as const, method: 0 }))),
  forgeZip([{ name: "docs/", attributes: 0x41ed0010 }, ...base]),
  forgeZip(
    base.map((entry) => ({
      ...entry,
      extra: extraField(0x5455, Buffer.from([1, 0, 0, 0, 0])),
      central: { comment: Buffer.from("a comment") },
    })),
  ),
  forgeZip(
    base.map((entry) => ({ ...entry, extra: extraField(0x7875, Buffer.from([1, 4, 0, 0, 0, 0, 4, 0, 0, 0, 0])) })),
  ),
];
const tarSeeds: readonly Buffer[] = [
  forgeTarGz(tarEntriesOf(plugin)),
  forgeTarGz([{ name: "weather/", type: "5" }, ...tarEntriesOf(plugin)]),
  forgeTarGz([{ name: "./", type: "5" }, ...tarEntriesOf(plugin, ".")]),
  forgeTarGz(
    tarEntriesOf(plugin).flatMap((entry) => [
      { name: "pax", type: "x", content: paxRecord("mtime", "1700000000.5") + paxRecord("path", String(entry.name)) },
      { ...entry, name: "short" },
    ]),
  ),
  forgeTarGz(tarEntriesOf(plugin).map((entry) => ({ ...entry, magic: "ustar  \0" }))),
];

async function acceptedZips(): Promise<readonly Accepted[]> {
  const random = randomFrom(seed);
  const accepted: Accepted[] = [];
  for (let run = 0; run < count; run++) {
    const source = zipSeeds[run % zipSeeds.length] ?? Buffer.alloc(0);
    const one = await tryOne(mutate(source, offsetsOf(source, "PK"), random));
    if (one !== undefined) accepted.push(one);
  }
  return accepted;
}

/** Mutates the tar inside of the gzip; every second one gets right header checksums again. */
async function acceptedTars(): Promise<readonly Accepted[]> {
  const random = randomFrom(seed + 1);
  const accepted: Accepted[] = [];
  for (let run = 0; run < count / 3; run++) {
    const source = gunzipSync(tarSeeds[run % tarSeeds.length] ?? Buffer.alloc(0));
    const headers = offsetsOf(source, "ustar").map((at) => at - 257);
    const mutated = mutate(
      source,
      [...headers, ...headers.map((at) => at + 100), ...headers.map((at) => at + 130)],
      random,
    );
    if (random(2) === 0) for (const at of offsetsOf(mutated, "ustar")) sign(mutated, at - 257);
    const one = await tryOne(gzipSync(mutated, { level: 1 }));
    if (one !== undefined) accepted.push(one);
  }
  return accepted;
}

function sign(tar: Buffer, at: number): void {
  if (at < 0 || at + 512 > tar.length) return;
  tar.fill(0x20, at + 148, at + 156);
  let sum = 0;
  for (const byte of tar.subarray(at, at + 512)) sum += byte;
  tar.write(`${sum.toString(8).padStart(6, "0")}\0 `, at + 148, "latin1");
}

describe.runIf(needed)("whatever is accepted of many mutations", () => {
  test(`lists alike in yauzl, Python and unzip (zip, ${count} mutations)`, { timeout: 300_000 }, async () => {
    const accepted = await acceptedZips();
    expect(accepted.length).toBeGreaterThan(count / 50);
    const byPython = pythonListings(
      "zip",
      accepted.map(({ file }) => file.path),
    );
    for (const [index, { file, bytes, own }] of accepted.entries()) {
      expect(byPython[index], file.path).toEqual(own);
      expect(await yauzlNames(bytes), file.path).toEqual(Object.keys(own).sort());
      // Of archives that say they were made on DOS, unzip shows UTF-8 names in that system's letters, flag or not.
      const ascii = Object.keys(own).every((path) => /^[\x20-\x7e]*$/.test(path));
      if (ascii) expect(unzipNames(file.path), file.path).toEqual(Object.keys(own).sort());
    }
  });

  test("lists alike in Python and GNU tar (tar.gz)", { timeout: 300_000 }, async () => {
    const accepted = await acceptedTars();
    expect(accepted.length).toBeGreaterThan(count / 150);
    const byPython = pythonListings(
      "tar",
      accepted.map(({ file }) => file.path),
    );
    const bare = (name: string): string => name.replace(/^\.\//, "");
    for (const [index, { file, own }] of accepted.entries()) {
      const listed = Object.entries(byPython[index] ?? {}).map(([name, content]) => [bare(name), content]);
      expect(Object.fromEntries(listed), file.path).toEqual(own);
      expect([...new Set(gnuTarNames(file.path).map(bare))].sort(), file.path).toEqual(Object.keys(own).sort());
    }
  });
});

describe("an inspection of any bytes", () => {
  const starts = [...zipSeeds, ...tarSeeds];
  const anyBytes = fc.oneof(
    fc.uint8Array({ maxLength: 2000 }),
    fc.uint8Array({ maxLength: 500 }).map((bytes) => Buffer.concat([Buffer.from("PK\u0003\u0004", "latin1"), bytes])),
    fc.uint8Array({ maxLength: 500 }).map((bytes) => Buffer.concat([Buffer.from([0x1f, 0x8b, 8, 0]), bytes])),
    fc.uint8Array({ maxLength: 3000 }).map((bytes) => gzipSync(bytes)),
    fc
      .tuple(fc.nat(starts.length - 1), fc.nat(3000))
      .map(([which, end]) => (starts[which] ?? Buffer.alloc(0)).subarray(0, end)),
    fc
      .tuple(fc.nat(starts.length - 1), fc.integer())
      .map(([which, from]) => mutate(starts[which] ?? Buffer.alloc(0), [], randomFrom(from))),
  );
  test("ends with a result or a RegistryError, and leaves no spool behind", async () => {
    await fc.assert(
      fc.asyncProperty(anyBytes, async (bytes) => {
        const file = await scratch.write(bytes);
        const error: unknown = await inspectArchive(file, limits, { spoolDirectory: scratch.path }).then(
          () => undefined,
          (reason: unknown) => reason,
        );
        await rm(file.path);
        if (error !== undefined && !isRegistryError(error)) throw error;
        const kind = isRegistryError(error) ? error.kind : "accepted";
        expect(["accepted", "rejected", "too_large", "unsupported_media"]).toContain(kind);
      }),
      { numRuns: 500 },
    );
    const left = python("import os,sys; print(len([n for n in os.listdir(sys.argv[1]) if n.startswith('spool')]))", [
      scratch.path,
    ]);
    expect(left.toString().trim()).toBe("0");
  });
});
