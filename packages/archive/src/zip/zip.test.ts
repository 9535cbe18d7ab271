import { crc32 } from "node:zlib";
import { isRegistryError } from "@registry/domain";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { plugin, pluginPaths, Scratch } from "../test-support/sample.ts";
import { entriesOf, extraField, type ForgedEntry, forgeZip } from "../test-support/zip-forge.ts";

let scratch: Scratch;
beforeAll(async () => {
  scratch = await Scratch.create();
});
afterAll(() => scratch.remove());

const honest = entriesOf(plugin);
const withEntry = (entry: ForgedEntry): Buffer => forgeZip([...honest, entry]);
const unixMode = (mode: number): number => (mode << 16) >>> 0;

async function refusal(bytes: Buffer): Promise<string> {
  const error: unknown = await scratch.inspect(bytes).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error !== undefined && !isRegistryError(error)) throw error;
  return error === undefined ? "accepted" : `${error.kind} ${error.reason}`;
}

describe("an honest zip", () => {
  const folder = { name: "docs/", attributes: unixMode(0o40755) + 0x10, method: 0 };
  const variants: Readonly<Record<string, Buffer>> = {
    plain: forgeZip(honest),
    stored: forgeZip(honest.map((entry) => ({ ...entry, method: 0 }))),
    "with signed descriptors": forgeZip(honest.map((entry) => ({ ...entry, descriptor: "signed" }))),
    "with bare descriptors": forgeZip(honest.map((entry) => ({ ...entry, descriptor: "bare" }))),
    "stored with descriptors": forgeZip(honest.map((entry) => ({ ...entry, method: 0, descriptor: "signed" }))),
    "with timestamps and owners": forgeZip(
      honest.map((entry) => ({ ...entry, extra: extraField(0x5455, Buffer.from([1, 0, 0, 0, 0])) })),
    ),
    "with a folder": withEntry(folder),
    "with a folder deflated to two bytes": withEntry({ ...folder, method: 8 }),
    "in another order than its directory": forgeZip([...honest].reverse()),
    "without Unix modes": forgeZip(honest.map((entry) => ({ ...entry, attributes: 0 }))),
    "with entry comments": forgeZip(honest.map((entry) => ({ ...entry, central: { comment: Buffer.from("hi") } }))),
    "with empty files": withEntry({ name: "src/__init__.py", content: "" }),
  };
  test.each(Object.entries(variants))("%s is accepted", async (_title, bytes) => {
    const inspection = await scratch.inspect(bytes);
    const paths = inspection.files.map((file) => file.path).filter((path) => !path.endsWith("__init__.py"));
    expect(paths).toEqual(pluginPaths);
  });

  test("names in UTF-8 are kept", async () => {
    const inspection = await scratch.inspect(withEntry({ name: "docs/größe-日本.md", content: "x" }));
    expect(inspection.files.map((file) => file.path)).toContain("docs/größe-日本.md");
  });
});

const packedTwice = Buffer.concat([Buffer.from([0x03, 0x00]), Buffer.from([0x03, 0x00])]);
const lie = (fields: Partial<ForgedEntry>): Buffer => withEntry({ name: "a.txt", content: "hello hello", ...fields });
const zip64Locator = Buffer.concat([Buffer.from("PK\u0006\u0007", "latin1"), Buffer.alloc(16)]);

const structure: readonly (readonly [string, Buffer, string])[] = [
  ["an archive comment", forgeZip(honest, { comment: Buffer.from("hi") }), "ZIP_END_RECORD"],
  ["bytes after the end", forgeZip(honest, { afterEnd: Buffer.from("x") }), "ZIP_END_RECORD"],
  ["an end record inside a comment", forgeZip(honest, { comment: forgeZip([]) }), "EMPTY_ARCHIVE"],
  ["another archive behind it", Buffer.concat([forgeZip(honest), forgeZip(honest)]), "ZIP_HIDDEN_DATA"],
  ["no entries", forgeZip([]), "EMPTY_ARCHIVE"],
  ["a second disk", forgeZip(honest, { end: { disk: 1 } }), "ZIP_MULTI_DISK"],
  ["entries on other disks", forgeZip(honest, { end: { diskEntries: 1, entries: 4 } }), "ZIP_MULTI_DISK"],
  ["an entry on another disk", lie({ central: { disk: 1 } }), "ZIP_MULTI_DISK"],
  ["a ZIP64 count", forgeZip(honest, { end: { entries: 0xffff } }), "ZIP64"],
  ["a ZIP64 locator", forgeZip(honest, { afterDirectory: zip64Locator }), "ZIP64"],
  ["a ZIP64 locator in a comment", lie({ central: { comment: zip64Locator } }), "ZIP64"],
  ["a ZIP64 size", lie({ central: { size: 0xffffffff } }), "ZIP64"],
  ["a ZIP64 extra", lie({ extra: extraField(1, Buffer.alloc(16)) }), "ZIP_EXTRA_FIELD"],
  ["a ZIP64 extra in the local header", lie({ local: { extra: extraField(1, Buffer.alloc(16)) } }), "ZIP_EXTRA_FIELD"],
  ["a Unicode path extra", lie({ extra: extraField(0x7075, Buffer.from("\x01aaaaevil")) }), "ZIP_EXTRA_FIELD"],
  ["a Unix link extra", lie({ extra: extraField(0x756e, Buffer.alloc(14)) }), "ZIP_EXTRA_FIELD"],
  ["a malformed extra", lie({ extra: Buffer.from([0x55, 0x54, 9, 0, 1]) }), "ZIP_EXTRA_FIELD"],
  ["a prefix", forgeZip([{ name: "a", content: "b", gap: Buffer.from("#!/bin/sh\n") }, ...honest]), "unsupported"],
  [
    "a prefix that looks like a zip",
    forgeZip([{ name: "a", content: "b", gap: Buffer.from("PKSFX") }, ...honest]),
    "ZIP_HIDDEN_DATA",
  ],
  ["a hidden first entry", forgeZip([{ name: "a", content: "b", hidden: true }, ...honest]), "ZIP_HIDDEN_DATA"],
  ["a hidden entry", forgeZip([...honest, { name: "a", content: "b", hidden: true }]), "ZIP_HIDDEN_DATA"],
  ["a gap", lie({ gap: Buffer.from("gap") }), "ZIP_HIDDEN_DATA"],
  ["bytes before the directory", forgeZip(honest, { beforeDirectory: Buffer.from("x") }), "ZIP_HIDDEN_DATA"],
  ["bytes after the directory", forgeZip(honest, { afterDirectory: Buffer.from("x") }), "ZIP_HIDDEN_DATA"],
  ["fewer entries declared than listed", forgeZip(honest, { end: { entries: 3 } }), "ZIP_HIDDEN_DATA"],
  ["more entries declared than listed", forgeZip(honest, { end: { entries: 5 } }), "CORRUPT_ARCHIVE"],
  ["two entries at one place", lie({ central: { offset: 0 } }), "ZIP_OVERLAP"],
  ["an entry beyond the directory", lie({ central: { offset: 0x7fffffff } }), "ZIP_HIDDEN_DATA"],
  ["another local name", lie({ local: { name: Buffer.from("b.txt") } }), "ZIP_HEADER_MISMATCH"],
  ["another local method", lie({ local: { method: 0 } }), "ZIP_HEADER_MISMATCH"],
  ["another local flag", lie({ local: { flags: 0x0800 } }), "ZIP_HEADER_MISMATCH"],
  ["another local CRC", lie({ local: { crc: 1 } }), "ZIP_HEADER_MISMATCH"],
  ["another local packed size", lie({ local: { packed: 1 } }), "ZIP_HEADER_MISMATCH"],
  ["another local size", lie({ local: { size: 1 } }), "ZIP_HEADER_MISMATCH"],
  ["open sizes without a descriptor", lie({ local: { crc: 0, packed: 0, size: 0 } }), "ZIP_HEADER_MISMATCH"],
  ["half open sizes", lie({ descriptor: "signed", local: { crc: 1 } }), "ZIP_HEADER_MISMATCH"],
  ["a lying descriptor", lie({ descriptor: Buffer.alloc(16) }), "ZIP_HEADER_MISMATCH"],
  ["a lying bare descriptor", lie({ descriptor: Buffer.alloc(12) }), "ZIP_HEADER_MISMATCH"],
  ["a ZIP64 descriptor", lie({ descriptor: Buffer.alloc(24) }), "ZIP_HIDDEN_DATA"],
  ["a missing descriptor", lie({ descriptor: Buffer.alloc(0) }), "ZIP_OVERLAP"],
  ["method 12", lie({ method: 12 }), "ZIP_METHOD"],
  [
    "a stored entry with two sizes",
    lie({ method: 0, central: { size: 5 }, local: { size: 5 } }),
    "ZIP_HEADER_MISMATCH",
  ],
  ["encryption", lie({ flags: 1 }), "ENCRYPTED_ENTRY"],
  ["strong encryption", lie({ flags: 0x41 }), "ENCRYPTED_ENTRY"],
  ["a masked directory", lie({ flags: 0x2000 }), "ENCRYPTED_ENTRY"],
  ["patched data", lie({ flags: 0x20 }), "ZIP_FLAGS"],
  ["a newer version", lie({ central: { needed: 51 } }), "ZIP_VERSION"],
  ["a symbolic link", lie({ attributes: unixMode(0o120777), content: "/etc/passwd" }), "SPECIAL_ENTRY"],
  ["a device", lie({ attributes: unixMode(0o20666) }), "SPECIAL_ENTRY"],
  ["a named pipe", lie({ attributes: unixMode(0o10666) }), "SPECIAL_ENTRY"],
  ["a socket", lie({ attributes: unixMode(0o140666) }), "SPECIAL_ENTRY"],
  ["a link from a DOS host", lie({ attributes: unixMode(0o120777), central: { madeBy: 20 } }), "SPECIAL_ENTRY"],
  ["a reparse point", lie({ attributes: 0x400 }), "SPECIAL_ENTRY"],
  ["a volume label", lie({ attributes: 0x08 }), "SPECIAL_ENTRY"],
  ["a folder without slash", lie({ attributes: unixMode(0o40755) }), "ZIP_HEADER_MISMATCH"],
  ["a folder by attribute", lie({ attributes: 0x10 }), "ZIP_HEADER_MISMATCH"],
  ["a folder with content", lie({ name: "docs/", attributes: 0x10 }), "ZIP_HEADER_MISMATCH"],
  ["a file named as a folder", lie({ name: "docs/", content: "" }), "ZIP_HEADER_MISMATCH"],
  ["packed bytes after the content", lie({ content: "", packed: packedTwice }), "ZIP_HIDDEN_DATA"],
  [
    "a folder with hidden bytes",
    lie({ name: "d/", attributes: 0x10, content: "", packed: packedTwice }),
    "ZIP_HIDDEN_DATA",
  ],
  ["more content than declared", lie({ central: { size: 5 }, local: { size: 5 } }), "CORRUPT_ARCHIVE"],
  ["less content than declared", lie({ central: { size: 50 }, local: { size: 50 } }), "CORRUPT_ARCHIVE"],
  ["another CRC", lie({ central: { crc: 7 }, local: { crc: 7 } }), "CORRUPT_ARCHIVE"],
  ["packed bytes that are noise", lie({ packed: Buffer.from([0xff, 0xff, 0xff, 0xff]) }), "CORRUPT_ARCHIVE"],
  ["a cut file", forgeZip(honest).subarray(0, 200), "ZIP_END_RECORD"],
  ["nothing but the magic", Buffer.from("PK\u0003\u0004", "latin1"), "CORRUPT_ARCHIVE"],
];

test("a Unicode path field that repeats the name is passed over, as JSZip writes it", async () => {
  const name = "größe.md";
  const field = (text: string, named: string): Buffer => {
    const head = Buffer.from([1, 0, 0, 0, 0]);
    head.writeUInt32LE(crc32(Buffer.from(named)), 1);
    return extraField(0x7075, Buffer.concat([head, Buffer.from(text)]));
  };
  expect(await refusal(withEntry({ name, content: "x", extra: field(name, name) }))).toBe("accepted");
  for (const extra of [field("evil.md", name), field(name, "evil.md"), extraField(0x7075, Buffer.from([1]))]) {
    expect(await refusal(withEntry({ name, content: "x", extra }))).toBe("rejected ZIP_EXTRA_FIELD");
  }
});

describe("a zip is refused with", () => {
  test.each(structure)("%s", async (_title, bytes, reason) => {
    const expected = reason === "unsupported" ? "unsupported_media UNSUPPORTED_ARCHIVE" : `rejected ${reason}`;
    expect(await refusal(bytes)).toBe(expected);
  });
});
