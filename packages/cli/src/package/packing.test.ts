import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { openArchive } from "@registry/archive";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasTool, python, runTool } from "../../../archive/src/test-support/tools.ts";
import { type Files, Folders, rules, weather } from "../testing/folders.ts";
import { fileNameOf } from "./packing.ts";

let folders: Folders;
beforeAll(async () => {
  folders = await Folders.create();
});
afterAll(() => folders.remove());

const tools = hasTool("unzip", ["-v"]) && hasTool("tar", ["--version"]) && hasTool("python3", ["--version"]);

/** Path to content, as a registry reads it. */
async function contentsOf(path: string, size: number): Promise<Record<string, string>> {
  const archive = await openArchive({ path, size }, rules.limits);
  try {
    const contents: Record<string, string> = {};
    for (const file of archive.files) {
      const parts: Buffer[] = [];
      for await (const part of archive.read(file)) parts.push(Buffer.from(part));
      contents[file.path] = Buffer.concat(parts).toString("hex");
    }
    return contents;
  } finally {
    await archive.close();
  }
}

const hexOf = (files: Files): Record<string, string> =>
  Object.fromEntries(Object.entries(files).map(([path, content]) => [path, Buffer.from(content).toString("hex")]));

describe("packing a folder", () => {
  it("gives the same bytes whatever the times, the modes, the order on disk and the folder's name", async () => {
    const plain = await folders.write(weather);
    const other = await folders.write(
      weather,
      { reversed: true, mode: 0o700, mtime: new Date("2001-02-03T04:05:06Z") },
      "a copy",
    );
    await mkdir(join(other, "empty folder"));
    for (const container of ["zip", "tar.gz"] as const) {
      const [one, two] = [await folders.pack(plain, container), await folders.pack(other, container)];
      expect(one.verdict).toMatchObject({ verdict: "accepted", container, name: "weather", version: "1.2.0" });
      expect(two.bytes.equals(one.bytes)).toBe(true);
    }
  });

  it("holds the same files in either container", async () => {
    const folder = await folders.write(weather);
    for (const container of ["zip", "tar.gz"] as const) {
      const { path, bytes } = await folders.pack(folder, container);
      expect(await contentsOf(path, bytes.length)).toEqual(hexOf(weather));
    }
  });

  it("packs any small tree so that a registry reads back just that", async () => {
    const name = fc.stringMatching(/^[a-z0-9_ß-]{1,6}$/);
    const tree = fc.dictionary(
      fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => `${parts.join("/")}.x`),
      fc.uint8Array({ maxLength: 2000 }),
      { minKeys: 1, maxKeys: 6 },
    );
    await fc.assert(
      fc.asyncProperty(tree, async (files) => {
        const [one, two] = [await folders.write(files), await folders.write(files, { reversed: true })];
        const packed = await folders.pack(one);
        expect((await folders.pack(two)).bytes.equals(packed.bytes)).toBe(true);
        expect(await contentsOf(packed.path, packed.bytes.length)).toEqual(hexOf(files));
      }),
      { numRuns: 25 },
    );
  });

  it.runIf(tools || process.env.CI !== undefined)(
    "gives the same bytes again for what other tools unpacked",
    async () => {
      const folder = await folders.write({
        ...weather,
        ".registryignore": "*.log\n!.env.example\n",
        ".env.example": "A=\n",
      });
      const zip = await folders.pack(folder);
      const tar = await folders.pack(folder, "tar.gz");
      const places = [await folders.empty(), await folders.empty(), await folders.empty("x")] as const;
      runTool("unzip", ["-q", zip.path, "-d", places[0]]);
      python("import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extractall(sys.argv[2])", [zip.path, places[1]]);
      runTool("tar", ["-xzf", tar.path, "-C", places[2]]);
      for (const unpacked of [places[0], places[1], join(places[2], "weather")]) {
        expect((await folders.pack(unpacked)).bytes.equals(zip.bytes)).toBe(true);
        expect((await folders.pack(unpacked, "tar.gz")).bytes.equals(tar.bytes)).toBe(true);
      }
    },
  );

  it("puts everything in a tar.gz below the name that the package carries, whatever the folder is called", async () => {
    const topFolderOf = async (files: Files, called: string): Promise<string> => {
      const { path, bytes } = await folders.pack(await folders.write(files, {}, called), "tar.gz");
      const archive = await openArchive({ path, size: bytes.length }, rules.limits);
      await archive.close();
      return archive.topFolder;
    };
    const spaced = { "package.json": JSON.stringify({ name: "@team/weather", version: "1.2.0" }) };
    expect(await topFolderOf(weather, "checkout")).toBe("weather");
    expect(await topFolderOf(spaced, "checkout")).toBe("weather");
    expect(await topFolderOf({ "x.txt": "no manifest" }, "checkout")).toBe("package");
  });

  it("names the file by what the package carries", () => {
    expect(fileNameOf({ name: "weather", version: "1.2.0" }, "zip")).toBe("weather-1.2.0.zip");
    expect(fileNameOf({ name: "@team/weather", version: "1.2.0-rc.1" }, "tar.gz")).toBe(
      "team-weather-1.2.0-rc.1.tar.gz",
    );
    expect(fileNameOf({ name: "weather", version: null }, "zip")).toBeUndefined();
  });
});
