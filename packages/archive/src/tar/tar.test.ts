import { randomBytes } from "node:crypto";
import { gzipSync } from "node:zlib";
import { isRegistryError } from "@registry/domain";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { plugin, pluginPaths, pluginYaml, Scratch } from "../test-support/sample.ts";
import { type ForgedTarEntry, forgeTar, forgeTarGz, paxRecord, tarEntriesOf } from "../test-support/tar-forge.ts";

let scratch: Scratch;
beforeAll(async () => {
  scratch = await Scratch.create();
});
afterAll(() => scratch.remove());

const honest = tarEntriesOf(plugin);
const withEntries = (...entries: readonly ForgedTarEntry[]): Buffer => forgeTarGz([...honest, ...entries]);
const pax = (...records: readonly (readonly [string, string])[]): ForgedTarEntry => ({
  name: "PaxHeader",
  type: "x",
  content: records.map(([key, value]) => paxRecord(key, value)).join(""),
});
const file = (fields: Partial<ForgedTarEntry> = {}): ForgedTarEntry => ({
  name: "weather/a.txt",
  content: "hello",
  ...fields,
});

async function refusal(bytes: Buffer): Promise<string> {
  const error: unknown = await scratch.inspect(bytes).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error !== undefined && !isRegistryError(error)) throw error;
  return error === undefined ? "accepted" : `${error.kind} ${error.reason}`;
}

describe("an honest tar.gz", () => {
  const rooted = Object.entries(plugin).map(([path, content]) => ({ name: `./${path}`, content }));
  const folders: ForgedTarEntry[] = [
    { name: "weather/", type: "5", mode: 0o755 },
    { name: "weather/src/", type: "5", mode: 0o755 },
  ];
  const variants: Readonly<Record<string, Buffer>> = {
    "under its name": forgeTarGz(honest),
    "with folders": forgeTarGz([...folders, ...honest]),
    "with old folder spelling": forgeTarGz([{ name: "weather", type: "5" }, ...honest]),
    "under package/": forgeTarGz(tarEntriesOf(plugin, "package")),
    "with a leading ./ before the top folder": forgeTarGz(tarEntriesOf(plugin, "./weather")),
    "made with tar -C dir .": forgeTarGz([{ name: "./", type: "5" }, ...rooted]),
    "with its files at the root": forgeTarGz(Object.entries(plugin).map(([name, content]) => ({ name, content }))),
    "with NUL as type": forgeTarGz(honest.map((entry) => ({ ...entry, type: "\0" }))),
    "with the magic of GNU": forgeTarGz(honest.map((entry) => ({ ...entry, magic: "ustar  \0" }))),
    "with harmless pax headers": forgeTarGz(
      honest.flatMap((entry) => [pax(["mtime", "1700000000.123"], ["uid", "70000"], ["uname", "ada"]), entry]),
    ),
    "with sizes in pax headers as npm writes them": forgeTarGz(
      honest.flatMap((entry) => [pax(["size", String(Buffer.byteLength(entry.content ?? ""))]), entry]),
    ),
    "with a global comment": forgeTarGz([
      { name: "pax_global_header", type: "g", content: paxRecord("comment", "0af3") },
      ...honest,
    ]),
    "with a prefix": forgeTarGz(
      Object.entries(plugin).map(([name, content]) => ({ name, content, prefix: "weather" })),
    ),
    "padded to a record": gzipSync(forgeTar(honest, 20)),
    "with a name in its gzip header": Buffer.concat([
      Buffer.from([0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3]),
      Buffer.from("package.tar\0"),
      gzipSync(forgeTar(honest)).subarray(10),
    ]),
  };
  test.each(Object.entries(variants))("%s is accepted", async (_title, bytes) => {
    const inspection = await scratch.inspect(bytes);
    expect(inspection.files.map((entry) => entry.path)).toEqual(pluginPaths);
    expect(inspection.name).toBe("weather");
  });

  test("may hold plugin.yaml twice; the later one counts", async () => {
    const later = { name: "weather/plugin.yaml", content: pluginYaml.replace("1.2.0", "1.3.0") };
    expect((await scratch.inspect(withEntries(later))).version).toBe("1.3.0");
    expect((await scratch.inspect(forgeTarGz([later, ...honest]))).version).toBe("1.2.0");
    expect(await refusal(withEntries(later, later))).toBe("rejected DUPLICATE_ENTRY");
  });

  test.each([
    ["pax", pax(["path", `weather/${"long/".repeat(12)}größe-${"x".repeat(80)}.txt`])],
    [
      "GNU",
      { name: "././@LongLink", type: "L", content: `weather/${"long/".repeat(12)}größe-${"x".repeat(80)}.txt\0` },
    ],
  ])("may use long names as %s writes them", async (_title, extension) => {
    const { files } = await scratch.inspect(withEntries(extension, file()));
    expect(files.map((entry) => entry.path)).toContain(`${"long/".repeat(12)}größe-${"x".repeat(80)}.txt`);
  });
});

const other = gzipSync(forgeTar(honest));
const link = (type: string): Buffer => withEntries(file({ type, link: "/etc/passwd", content: "" }));
const structure: readonly (readonly [string, Buffer, string])[] = [
  ["two gzip members", Buffer.concat([other, other]), "GZIP_TRAILING_DATA"],
  ["bytes after the gzip member", Buffer.concat([other, Buffer.from("x")]), "GZIP_TRAILING_DATA"],
  ["zeros after the gzip member", Buffer.concat([other, Buffer.alloc(512)]), "GZIP_TRAILING_DATA"],
  ["a cut gzip member", other.subarray(0, other.length - 9), "CORRUPT_ARCHIVE"],
  ["a wrong checksum", Buffer.concat([other.subarray(0, -8), Buffer.alloc(8)]), "GZIP_TRAILING_DATA"],
  [
    "an extra field in the gzip header",
    Buffer.concat([Buffer.from([0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 3, 0, 0]), other.subarray(10)]),
    "GZIP_HEADER",
  ],
  ["a reserved gzip flag", Buffer.concat([Buffer.from([0x1f, 0x8b, 8, 0x80]), other.subarray(4)]), "GZIP_HEADER"],
  ["nothing but the magic", Buffer.from([0x1f, 0x8b]), "CORRUPT_ARCHIVE"],
  ["something else in the gzip", gzipSync(Buffer.from("hello")), "CORRUPT_ARCHIVE"],
  ["nothing in the gzip", gzipSync(Buffer.alloc(0)), "CORRUPT_ARCHIVE"],
  ["noise of a block's length", gzipSync(Buffer.alloc(512, 7)), "TAR_HEADER"],
  ["no entries", forgeTarGz([]), "EMPTY_ARCHIVE"],
  ["no end blocks", forgeTarGz(honest, 0), "CORRUPT_ARCHIVE"],
  ["one end block", forgeTarGz(honest, 1), "CORRUPT_ARCHIVE"],
  ["another tar after the end", gzipSync(Buffer.concat([forgeTar(honest), forgeTar(honest)])), "TAR_HIDDEN_DATA"],
  [
    "megabytes of zeros after the end",
    gzipSync(Buffer.concat([forgeTar([...honest, file({ content: randomBytes(30_000) })]), Buffer.alloc(2 ** 20)])),
    "TAR_HIDDEN_DATA",
  ],
  ["bytes in the padding", withEntries(file({ padding: 1 })), "TAR_HIDDEN_DATA"],
  ["a wrong header checksum", withEntries(file({ patch: { at: 148, bytes: Buffer.from("000001\0 ") } })), "TAR_HEADER"],
  ["an old header", withEntries(file({ magic: "\0\0\0\0\0\0\0\0" })), "TAR_HEADER"],
  [
    "a base-256 size",
    withEntries(file({ patch: { at: 124, bytes: Buffer.from([0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5]) } })),
    "TAR_HEADER",
  ],
  [
    "a size that is no number",
    withEntries(file({ patch: { at: 124, bytes: Buffer.from("0000000000x\0") } })),
    "TAR_HEADER",
  ],
  ["a negative size", withEntries(file({ patch: { at: 124, bytes: Buffer.from("-0000000005\0") } })), "TAR_HEADER"],
  ["a size beyond the end", withEntries(file({ size: 100_000 })), "CORRUPT_ARCHIVE"],
  ["an owner that is no number", withEntries(file({ patch: { at: 108, bytes: Buffer.from([0x90]) } })), "TAR_HEADER"],
  ["bytes behind a name", withEntries(file({ patch: { at: 50, bytes: Buffer.from("evil") } })), "TAR_HEADER"],
  ["a symbolic link", link("2"), "SPECIAL_ENTRY"],
  ["a hard link", link("1"), "SPECIAL_ENTRY"],
  ["a link target on a file", link("0"), "SPECIAL_ENTRY"],
  ["a character device", link("3"), "SPECIAL_ENTRY"],
  ["a block device", link("4"), "SPECIAL_ENTRY"],
  ["a named pipe", link("6"), "SPECIAL_ENTRY"],
  ["a contiguous file", link("7"), "SPECIAL_ENTRY"],
  ["a sparse file", link("S"), "SPECIAL_ENTRY"],
  ["a volume label", link("V"), "SPECIAL_ENTRY"],
  ["a continued file", link("M"), "SPECIAL_ENTRY"],
  ["a GNU long link", link("K"), "SPECIAL_ENTRY"],
  ["an unknown type", link("Z"), "SPECIAL_ENTRY"],
  ["a file named as a folder", withEntries(file({ name: "weather/docs/" })), "TAR_HEADER"],
  ["a folder with content", withEntries(file({ type: "5", name: "weather/docs/" })), "TAR_HEADER"],
  ["a pax size that is not the entry's", withEntries(pax(["size", "3"]), file()), "TAR_EXTENSION"],
  ["a pax size in another spelling", withEntries(pax(["size", "05"]), file()), "TAR_EXTENSION"],
  ["a global pax size", withEntries({ ...pax(["size", "5"]), type: "g" }, file()), "TAR_EXTENSION"],
  ["a pax link", withEntries(pax(["linkpath", "/etc/passwd"]), file()), "TAR_EXTENSION"],
  ["a pax sparse map", withEntries(pax(["GNU.sparse.name", "a"]), file()), "TAR_EXTENSION"],
  ["a pax real size", withEntries(pax(["SCHILY.realsize", "3"]), file()), "TAR_EXTENSION"],
  ["a pax character set", withEntries(pax(["hdrcharset", "BINARY"]), file()), "TAR_EXTENSION"],
  ["a pax key twice", withEntries(pax(["path", "weather/b"], ["path", "weather/c"]), file()), "TAR_EXTENSION"],
  ["an empty pax path", withEntries(pax(["path", ""]), file()), "TAR_EXTENSION"],
  ["a malformed pax record", withEntries({ ...pax(), content: "99 path=weather/b\n" }, file()), "TAR_EXTENSION"],
  ["a pax record without end", withEntries({ ...pax(), content: "18 path=weather/b " }, file()), "TAR_EXTENSION"],
  ["a pax time that is no number", withEntries(pax(["mtime", "soon"]), file()), "TAR_EXTENSION"],
  ["a pax header at the end", withEntries(pax(["path", "weather/b"])), "TAR_EXTENSION"],
  ["two pax headers for one entry", withEntries(pax(["uid", "1"]), pax(["uid", "1"]), file()), "TAR_EXTENSION"],
  ["a global path", withEntries({ ...pax(["path", "weather/b"]), type: "g" }, file()), "TAR_EXTENSION"],
  [
    "a long name without NUL",
    withEntries({ name: "././@LongLink", type: "L", content: "weather/b" }, file()),
    "TAR_EXTENSION",
  ],
  ["a climbing short name", withEntries(pax(["path", "weather/b"]), file({ name: "../../b" })), "PATH_TRAVERSAL"],
  ["a climbing path", withEntries(file({ name: "weather/../../b" })), "PATH_TRAVERSAL"],
  ["a climbing pax path", withEntries(pax(["path", "../b"]), file()), "PATH_TRAVERSAL"],
  [
    "a climbing long name",
    withEntries({ name: "././@LongLink", type: "L", content: "../b\0" }, file()),
    "PATH_TRAVERSAL",
  ],
  ["an absolute path", withEntries(file({ name: "/etc/passwd" })), "PATH_ABSOLUTE"],
  ["the root as folder", withEntries(file({ name: "/", type: "5", content: "" })), "PATH_ABSOLUTE"],
  ["an empty name", withEntries(file({ name: "" })), "NAME_EMPTY"],
  ["broken UTF-8", withEntries(file({ name: Buffer.from([0x61, 0xff]) })), "NAME_ENCODING"],
  ["decomposed letters", withEntries(file({ name: "weather/e\u0301" })), "NAME_NOT_NFC"],
  ["a repeated file", withEntries(file(), file()), "DUPLICATE_ENTRY"],
  ["a name that differs in case", withEntries(file(), file({ name: "weather/A.txt" })), "CASE_COLLISION"],
  ["a file that is a folder too", withEntries(file(), file({ name: "weather/a.txt/b" })), "FILE_AND_FOLDER"],
  ["two top folders", withEntries(file({ name: "evil/a" })), "TAR_TOP_FOLDER"],
  ["a file beside the top folder", withEntries(file({ name: "a" })), "TAR_TOP_FOLDER"],
  ["nothing but one file", forgeTarGz([file({ name: "a" })]), "TAR_TOP_FOLDER"],
];

describe("a tar.gz is refused with", () => {
  test.each(structure)("%s", async (_title, bytes, reason) => {
    expect(await refusal(bytes)).toBe(`rejected ${reason}`);
  });

  test("xz, bzip2 and an unpacked tar instead of gzip", async () => {
    for (const magic of [Buffer.from("\xfd7zXZ\0", "latin1"), Buffer.from("BZh9"), forgeTar(honest), Buffer.alloc(0)]) {
      expect(await refusal(magic)).toBe("unsupported_media UNSUPPORTED_ARCHIVE");
    }
  });
});

describe("a cap", () => {
  test("on entries counts files and folders", async () => {
    await expect(scratch.inspect(forgeTarGz(honest), { entries: 4 })).resolves.toBeDefined();
    await expect(scratch.inspect(forgeTarGz(honest), { entries: 3 })).rejects.toMatchObject({
      kind: "too_large",
      reason: "TOO_MANY_ENTRIES",
    });
  });
  test("on entries is not escaped with extension headers", async () => {
    const many = Array.from({ length: 50 }, () => ({ name: "g", type: "g", content: paxRecord("comment", "x") }));
    await expect(scratch.inspect(forgeTarGz([...many, ...honest]), { entries: 4 })).rejects.toMatchObject({
      reason: "TOO_MANY_ENTRIES",
    });
  });
  test("on one entry and on all", async () => {
    const bytes = withEntries(file({ content: "x".repeat(5000) }));
    await expect(scratch.inspect(bytes, { entryBytes: 5000 })).resolves.toBeDefined();
    await expect(scratch.inspect(bytes, { entryBytes: 4999 })).rejects.toMatchObject({ reason: "ENTRY_TOO_LARGE" });
    await expect(scratch.inspect(bytes, { unpackedBytes: 5000 })).rejects.toMatchObject({
      reason: "UNPACKED_TOO_LARGE",
    });
  });
  test("on the ratio stops a bomb", async () => {
    const bytes = withEntries(file({ content: Buffer.alloc(4 * 1024 * 1024) }));
    await expect(scratch.inspect(bytes)).rejects.toMatchObject({ kind: "too_large", reason: "COMPRESSION_RATIO" });
  });
  test("on the unpacked size stops a bomb of zeros after the end", async () => {
    const bytes = gzipSync(forgeTar(honest, 20_000));
    await expect(scratch.inspect(bytes)).rejects.toMatchObject({ kind: "too_large", reason: "COMPRESSION_RATIO" });
  });
});
