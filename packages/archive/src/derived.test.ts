import { createHash } from "node:crypto";
import { isRegistryError } from "@registry/domain";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { defaultArchiveLimits as limits } from "./limits.ts";
import { checkManifestPart } from "./manifest-part.ts";
import type { ArchiveFile } from "./open.ts";
import { readArchiveFile } from "./read-file.ts";
import { repackAsTarGz, repackAsZip } from "./repack.ts";
import { plugin, Scratch } from "./test-support/sample.ts";
import { forgeTarGz, paxRecord } from "./test-support/tar-forge.ts";
import { hasTool, python, runTool } from "./test-support/tools.ts";
import { forgeZip } from "./test-support/zip-forge.ts";

let scratch: Scratch;
beforeAll(async () => {
  scratch = await Scratch.create();
});
afterAll(() => scratch.remove());

const tools = hasTool("python3", ["--version"]) && hasTool("tar", ["--version"]);
const long = `docs/${"größe/".repeat(12)}${"x".repeat(90)}.md`;
const files: Readonly<Record<string, string>> = { ...plugin, [long]: "long\n", "bin/run": "#!/bin/sh\n", empty: "" };
const paths = Object.keys(files).sort();
const modeOf = (path: string): number => (path === "bin/run" ? 0o755 : 0o640);

/** The same package in both containers, in different orders, with different times and owners. */
const asZip = (): Buffer =>
  forgeZip(
    Object.entries(files).map(([name, content]) => ({
      name,
      content,
      attributes: ((0o100000 | modeOf(name)) << 16) >>> 0,
    })),
  );
const asTarGz = (): Buffer =>
  forgeTarGz(
    Object.entries(files)
      .reverse()
      .flatMap(([path, content]) => [
        { name: "x", type: "x", content: paxRecord("path", `top/${path}`) + paxRecord("mtime", "1700000000") },
        { name: "short", content, mode: modeOf(path) },
      ]),
  );

async function collect(source: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of source) parts.push(Buffer.from(part));
  return Buffer.concat(parts);
}
const digest = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

describe("derived packings", () => {
  test("are the same bytes from either container, every time", async () => {
    const zip = await scratch.write(asZip());
    const tar = await scratch.write(asTarGz());
    const tars = await Promise.all([zip, tar, zip].map((file) => collect(repackAsTarGz(file, "weather", limits))));
    const zips = await Promise.all([zip, tar, zip].map((file) => collect(repackAsZip(file, limits))));
    expect(new Set(tars.map(digest)).size).toBe(1);
    expect(new Set(zips.map(digest)).size).toBe(1);
  });

  test("pass the registry's own check, with the same files", async () => {
    const original = await scratch.inspect(asZip());
    const file = await scratch.write(asTarGz());
    for (const packing of [
      repackAsTarGz(file, "weather", limits),
      repackAsTarGz(file, "package", limits),
      repackAsZip(file, limits),
    ]) {
      const derived = await scratch.inspect(await collect(packing));
      const content = (entries: typeof original.files) => entries.map(({ path, sha256 }) => [path, sha256]);
      expect(content(derived.files)).toEqual(content(original.files));
      expect(derived.files.map((entry) => entry.mode)).toEqual(
        paths.map((path) => (path === "bin/run" ? 0o755 : 0o644)),
      );
    }
  });

  test.runIf(tools || process.env.CI !== undefined)("are read by Python and tar", async () => {
    const file = await scratch.write(asZip());
    const tar = await scratch.write(await collect(repackAsTarGz(file, "weather", limits)));
    const zip = await scratch.write(await collect(repackAsZip(file, limits)));
    const listTar =
      "import tarfile,sys,json; print(json.dumps([[m.name, m.mode, m.mtime, m.uid] for m in tarfile.open(sys.argv[1]).getmembers()]))";
    expect(JSON.parse(python(listTar, [tar.path]).toString())).toEqual(
      paths.map((path) => [`weather/${path}`, path === "bin/run" ? 0o755 : 0o644, 0, 0]),
    );
    const listZip =
      "import zipfile,sys,json; z=zipfile.ZipFile(sys.argv[1]); print(json.dumps([z.testzip(), z.namelist()]))";
    expect(JSON.parse(python(listZip, [zip.path]).toString())).toEqual([null, paths]);
    expect(runTool("tar", ["--quoting-style=literal", "-tzf", tar.path]).toString().trim().split("\n")).toEqual(
      paths.map((path) => `weather/${path}`),
    );
  });

  test("of a damaged package fail, and leave nothing behind", async () => {
    const bytes = asTarGz();
    bytes[40] = (bytes[40] ?? 0) ^ 0xff;
    const file = await scratch.write(bytes);
    await expect(collect(repackAsTarGz(file, "weather", limits))).rejects.toSatisfy(isRegistryError);
  });

  test("may be left unfinished", async () => {
    const file = await scratch.write(asZip());
    for await (const chunk of repackAsTarGz(file, "weather", limits)) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
  });
});

describe("one file", () => {
  test.each([
    ["zip", asZip],
    ["tar.gz", asTarGz],
  ])("of a %s is read by its path", async (_title, make) => {
    const file: ArchiveFile = await scratch.write(make());
    const found = await readArchiveFile(file, "src/main.py", limits);
    expect(found.size).toBe(plugin["src/main.py"]?.length);
    expect((await collect(found.content)).toString()).toBe(plugin["src/main.py"]);
    await expect(readArchiveFile(file, "src", limits)).rejects.toMatchObject({
      kind: "not_found",
      reason: "FILE_NOT_FOUND",
    });
    await expect(readArchiveFile(file, "../weather", limits)).rejects.toMatchObject({ kind: "not_found" });
  });
});

describe("the manifest beside a package", () => {
  const tagged = `name: weather
version: 1.2.0
type: !!python/object/apply:agenticraft.marketplace.manifest.PluginType
- tool
author: &id001 !!python/object:agenticraft.marketplace.manifest.PluginAuthor
  __dict__: {name: x}
homepage: !!python/object/new:pydantic_core.Url
  state: *id001
`;
  test.each([
    ['{"name":"weather","version":"1.2.0"}', { name: "weather", version: "1.2.0" }],
    ["name: weather\nversion: 1.2.0\n", { name: "weather", version: "1.2.0" }],
    ["name: 'weather'\nversion: 1.10\n", { name: "weather", version: "1.10" }],
    [tagged, { name: "weather", version: "1.2.0" }],
    ['{"name":7,"version":"1.2.0"}', { version: "1.2.0" }],
    ["name: &a [1]\n", {}],
    ["[]", {}],
    ["", {}],
    ["{", {}],
    ["[".repeat(60_000), {}],
    ["a: &a [x]\nb: [*a,*a]\nname: n", { name: "n" }],
    [`name: ${"x".repeat(70_000)}`, {}],
  ])("%#: is read leniently and never throws", (text, expected) => {
    expect(checkManifestPart(text)).toEqual(expected);
  });

  test.each([
    [
      "mcp-server",
      '{"name":"com.Example/weather","version":"v1.2"}',
      { name: "@com.example/weather", version: "1.2.0" },
    ],
    ["mcp-server", '{"name":"com.example/my_weather","version":"1.2.0"}', { version: "1.2.0" }],
    ["skill", '{"name":"Release Notes","version":"today"}', {}],
    ["agentos", '{"name":"Weather for all","version":"1.2.0"}', { version: "1.2.0" }],
    ["npm", '{"name":"weather","version":"1.2"}', { name: "weather", version: "1.2" }],
  ] as const)("of a %s says what the package itself would: %s", (format, text, expected) => {
    expect(checkManifestPart(text, format)).toEqual(expected);
  });
});
