import { appendFile, chmod, mkdir, rename, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runTool } from "../../../archive/src/test-support/tools.ts";
import { Folders, rules, weather } from "../testing/folders.ts";
import { listFolder } from "./folder.ts";

let folders: Folders;
beforeAll(async () => {
  folders = await Folders.create();
});
afterAll(() => folders.remove());

const posix = process.platform !== "win32";

describe("a folder's listing", () => {
  it("has every file with its size, and tells programs by their content", async () => {
    const folder = await folders.write(weather);
    await chmod(join(folder, "README.md"), 0o755);
    const { files, leftOut } = await listFolder(folder, rules.limits);
    expect(files.map(({ path }) => path).sort()).toEqual(Object.keys(weather).sort());
    expect(files.filter(({ executable }) => executable).map(({ path }) => path)).toEqual(["bin/run"]);
    expect(files.find(({ path }) => path === "empty")?.size).toBe(0);
    expect(leftOut).toEqual([]);
  });

  it("leaves out what the ignore file lists, links in it too", async () => {
    const folder = await folders.write({
      ...weather,
      ".registryignore": "*.log\nshared\n",
      "a.log": "x",
      "b/c.log": "x",
    });
    await symlink("/etc", join(folder, "shared"));
    const { files, leftOut } = await listFolder(folder, rules.limits);
    expect(files.map(({ path }) => path)).not.toContain("a.log");
    expect(files.map(({ path }) => path)).toContain(".registryignore");
    expect(leftOut).toEqual([
      { pattern: "*.log", count: 2 },
      { pattern: "shared", count: 1 },
    ]);
  });

  it.runIf(posix)("refuses links and other special files by path, with the remedy", async () => {
    for (const [make, words] of [
      [(path: string) => symlink("../README.md", path), "is a symbolic link"],
      [(path: string) => symlink("/nowhere", path), "is a symbolic link"],
      [async (path: string) => runTool("mkfifo", [path]), "is a named pipe"],
    ] as const) {
      const folder = await folders.write(weather);
      await make(join(folder, "src", "odd"));
      const refusal = listFolder(folder, rules.limits);
      await expect(refusal).rejects.toMatchObject({ kind: "rejected", reason: "SPECIAL_ENTRY" });
      await expect(refusal).rejects.toThrow(`src/odd: ${words}`);
      await expect(refusal).rejects.toThrow(".registryignore");
    }
  });

  it.runIf(process.platform === "linux")("refuses a name that is not UTF-8", async () => {
    const folder = await folders.write(weather);
    await writeFile(Buffer.concat([Buffer.from(`${folder}/caf`), Buffer.from([0xe9])]), "x");
    await expect(listFolder(folder, rules.limits)).rejects.toMatchObject({ reason: "NAME_ENCODING" });
  });

  it("stops where the folder holds more than a registry takes", async () => {
    const folder = await folders.write(weather);
    const count = Object.keys(weather).length;
    const size = Object.values(weather).reduce((sum, content) => sum + Buffer.byteLength(content), 0);
    const limited = (limits: object) => listFolder(folder, { ...rules.limits, ...limits });
    await expect(limited({ entries: count, unpackedBytes: size })).resolves.toBeDefined();
    await expect(limited({ entries: count - 1 })).rejects.toMatchObject({ reason: "TOO_MANY_ENTRIES" });
    await expect(limited({ unpackedBytes: size - 1 })).rejects.toMatchObject({ reason: "UNPACKED_TOO_LARGE" });
    await mkdir(join(folder, "a/b/c"), { recursive: true });
    await expect(limited({ pathDepth: 2 })).rejects.toMatchObject({ kind: "too_large", reason: "PATH_TOO_DEEP" });
  });

  it("notices what changes between listing and reading", async () => {
    const folder = await folders.write(weather);
    const { files } = await listFolder(folder, rules.limits);
    const read = async (path: string): Promise<void> => {
      for await (const _ of files.find((file) => file.path === path)?.read() ?? []);
    };
    await read("LICENSE");
    await appendFile(join(folder, "LICENSE"), "more");
    await expect(read("LICENSE")).rejects.toMatchObject({ reason: "FILE_CHANGED" });
    await writeFile(join(folder, "README.md"), "");
    await expect(read("README.md")).rejects.toMatchObject({ reason: "FILE_CHANGED" });
    await rename(join(folder, "empty"), join(folder, "moved"));
    await expect(read("empty")).rejects.toMatchObject({ reason: "UNREADABLE" });
  });
});
