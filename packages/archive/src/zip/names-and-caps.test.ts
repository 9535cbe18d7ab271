import { isRegistryError } from "@registry/domain";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { plugin, Scratch } from "../test-support/sample.ts";
import { entriesOf, type ForgedEntry, forgeZip } from "../test-support/zip-forge.ts";

let scratch: Scratch;
beforeAll(async () => {
  scratch = await Scratch.create();
});
afterAll(() => scratch.remove());

const honest = entriesOf(plugin);
const withEntry = (entry: ForgedEntry): Buffer => forgeZip([...honest, entry]);

async function refusal(bytes: Buffer): Promise<string> {
  const error: unknown = await scratch.inspect(bytes).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error !== undefined && !isRegistryError(error)) throw error;
  return error === undefined ? "accepted" : `${error.kind} ${error.reason}`;
}

const decomposed = "e\u0301.txt";
const names: readonly (readonly [string, string | Buffer, string])[] = [
  ["an absolute path", "/etc/passwd", "rejected PATH_ABSOLUTE"],
  ["a climbing path", "../evil", "rejected PATH_TRAVERSAL"],
  ["a climbing part", "a/../../evil", "rejected PATH_TRAVERSAL"],
  ["a dot part", "./a", "rejected PATH_TRAVERSAL"],
  ["an empty part", "a//b", "rejected PATH_TRAVERSAL"],
  ["an empty name", "", "rejected NAME_EMPTY"],
  ["a backslash", "a\\..\\b", "rejected NAME_CHARACTERS"],
  ["a drive", "C:evil", "rejected NAME_CHARACTERS"],
  ["a stream", "a.txt:evil", "rejected NAME_CHARACTERS"],
  ["a NUL", "a\0.txt", "rejected NAME_CHARACTERS"],
  ["a line feed", "a\n.txt", "rejected NAME_CHARACTERS"],
  ["a right-to-left override", "a\u202etxt.exe", "rejected NAME_CHARACTERS"],
  ["a zero-width space", "a\u200b.txt", "rejected NAME_CHARACTERS"],
  ["a soft hyphen", "a\u00ad.txt", "rejected NAME_CHARACTERS"],
  ["a byte order mark", "\ufeffa.txt", "rejected NAME_CHARACTERS"],
  ["a line separator", "a\u2028b", "rejected NAME_CHARACTERS"],
  ["a variation selector", "a\ufe0f", "rejected NAME_CHARACTERS"],
  ["a trailing dot", "a.", "rejected NAME_CHARACTERS"],
  ["a trailing space", "a /b", "rejected NAME_CHARACTERS"],
  ["a device", "con", "rejected NAME_RESERVED"],
  ["a device with an extension", "src/NUL.txt", "rejected NAME_RESERVED"],
  ["a device with superscript", "com¹", "rejected NAME_RESERVED"],
  ["decomposed letters", decomposed, "rejected NAME_NOT_NFC"],
  ["broken UTF-8", Buffer.from([0x61, 0xff]), "rejected NAME_ENCODING"],
  ["overlong UTF-8", Buffer.from([0xc0, 0xaf]), "rejected NAME_ENCODING"],
  ["surrogates in UTF-8", Buffer.from([0xed, 0xa0, 0x80]), "rejected NAME_ENCODING"],
  ["256 bytes", "a".repeat(256), "too_large PATH_TOO_LONG"],
  ["17 parts", Array.from({ length: 17 }, () => "a").join("/"), "too_large PATH_TOO_DEEP"],
  ["a repeated name", "README.md", "rejected DUPLICATE_ENTRY"],
  ["a name that differs in case", "readme.md", "rejected CASE_COLLISION"],
  ["a folder that differs in case", "SRC/other.py", "rejected CASE_COLLISION"],
  ["a file below a file", "README.md/x", "rejected FILE_AND_FOLDER"],
  ["a file in place of a folder", "src", "rejected FILE_AND_FOLDER"],
];

describe("an entry name is refused with", () => {
  test.each(names)("%s", async (_title, name, expected) => {
    expect(await refusal(withEntry({ name, content: "x" }))).toBe(expected);
  });

  test("bytes beyond ASCII without the UTF-8 flag", async () => {
    const name = Buffer.from("é");
    const bytes = withEntry({ name, content: "x", local: { flags: 0 }, central: { flags: 0 } });
    expect(await refusal(bytes)).toBe("rejected NAME_ENCODING");
  });

  test("letters that only folding makes equal", async () => {
    expect(await refusal(forgeZip([...honest, { name: "STRASSE" }, { name: "straße" }]))).toBe(
      "rejected CASE_COLLISION",
    );
  });

  test("what is legal beside it is not refused", async () => {
    for (const name of [
      "console.log",
      "a b.txt",
      ".gitignore",
      "..a",
      "a..b",
      "nul-x",
      "con foo.txt",
      "x".repeat(255),
    ]) {
      expect([name, await refusal(withEntry({ name, content: "x" }))]).toEqual([name, "accepted"]);
    }
  });
});

describe("a cap", () => {
  const zeros = Buffer.alloc(2 * 1024 * 1024);
  const noise = Buffer.from(Array.from({ length: 3000 }, (_, index) => (index * 7919) % 251));
  test("on entries holds at its value", async () => {
    await expect(scratch.inspect(forgeZip(honest), { entries: 4 })).resolves.toBeDefined();
    await expect(scratch.inspect(forgeZip(honest), { entries: 3 })).rejects.toMatchObject({
      reason: "TOO_MANY_ENTRIES",
    });
  });
  test("on one entry holds at its value", async () => {
    const bytes = withEntry({ name: "data", content: noise });
    await expect(scratch.inspect(bytes, { entryBytes: 3000 })).resolves.toBeDefined();
    await expect(scratch.inspect(bytes, { entryBytes: 2999 })).rejects.toMatchObject({
      kind: "too_large",
      reason: "ENTRY_TOO_LARGE",
    });
  });
  test("on all entries holds at its value", async () => {
    const { unpackedSize } = await scratch.inspect(forgeZip(honest));
    await expect(scratch.inspect(forgeZip(honest), { unpackedBytes: unpackedSize })).resolves.toBeDefined();
    await expect(scratch.inspect(forgeZip(honest), { unpackedBytes: unpackedSize - 1 })).rejects.toMatchObject({
      kind: "too_large",
      reason: "UNPACKED_TOO_LARGE",
    });
  });
  test("on the ratio refuses a bomb before it is inflated", async () => {
    const bytes = withEntry({ name: "bomb", content: zeros });
    await expect(scratch.inspect(bytes)).rejects.toMatchObject({ kind: "too_large", reason: "COMPRESSION_RATIO" });
  });
  test("on the ratio lets short runs of zeros pass", async () => {
    const bytes = withEntry({ name: "zeros", content: zeros.subarray(0, 1000 * 1024) });
    await expect(scratch.inspect(bytes)).resolves.toBeDefined();
  });
  test("on the package is told from its size", async () => {
    const bytes = forgeZip(honest);
    await expect(scratch.inspect(bytes, { packageBytes: bytes.length - 1 })).rejects.toMatchObject({
      kind: "too_large",
      reason: "PACKAGE_TOO_LARGE",
    });
  });
  test("on the manifest and the README", async () => {
    await expect(scratch.inspect(forgeZip(honest), { manifestBytes: 20 })).rejects.toMatchObject({
      reason: "MANIFEST_TOO_LARGE",
    });
    await expect(scratch.inspect(forgeZip(honest), { readmeBytes: 3 })).rejects.toMatchObject({
      reason: "README_TOO_LARGE",
    });
  });
});

test("a refusal points to the entry, and shows no raw bytes of its name", async () => {
  const error: unknown = await scratch
    .inspect(withEntry({ name: `\u202e${"x".repeat(100)}`, content: "x" }))
    .catch((e) => e);
  if (!isRegistryError(error)) throw error;
  expect(error.fields[0]?.pointer).toMatch(/^archive:\\u\{202e\}x+…?$/);
  expect(`${error.message}${error.fields[0]?.pointer}`).not.toContain("\u202e");
});
