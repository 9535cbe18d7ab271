import { appendFile, mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pluginZip } from "../../../test/builders/plugin.ts";
import { Folders, weather } from "./testing/folders.ts";
import { type Ended, runProgram } from "./testing/program.ts";

let folders: Folders;
beforeAll(async () => {
  folders = await Folders.create();
});
afterAll(() => folders.remove());

const run = (cwd: string, args: readonly string[], settings: Record<string, string> = {}): Promise<Ended> =>
  runProgram(folders.root, cwd, args, settings);

describe("validate", () => {
  it("accepts a package with 0, and says what was not judged", async () => {
    const path = await folders.file(pluginZip({ name: "weather", version: "1.2.0" }));
    const { code, out, err } = await run(dirname(path), ["validate", path]);
    expect([code, err]).toEqual([0, ""]);
    const lines = out.trimEnd().split("\n");
    expect(lines[0]).toMatch(
      /^accepted: weather 1\.2\.0 \(agenticraft, tool\), 4 files, \S+ k?B, sha256 [0-9a-f]{64}$/,
    );
    expect(lines.at(-1)).toContain("Not judged here");
  });

  it("refuses with 1, as JSON too", async () => {
    const path = await folders.file(Buffer.from("text"));
    expect((await run(dirname(path), ["validate", path])).out).toMatch(/^refused: UNSUPPORTED_ARCHIVE — /);
    const { code, out } = await run(dirname(path), ["validate", "--json", path]);
    expect(code).toBe(1);
    expect(JSON.parse(out)).toEqual({
      verdict: "refused",
      status: 415,
      code: "UNSUPPORTED_ARCHIVE",
      detail: expect.stringContaining("neither a zip nor"),
      errors: [],
      name: null,
      version: null,
      format: null,
      kind: null,
      container: null,
      size: 4,
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      files: null,
      findings: [],
    });
  });

  it("holds with 3 what the policy of the settings file holds", async () => {
    const folder = await folders.write({ ...weather, "SKILL.md": "# A skill\n" });
    const settings = join(await folders.empty(), "registry.env");
    await writeFile(settings, "POLICY_INFO=hold\n");
    const held = await run(folder, ["validate", ".", "--env", settings]);
    expect(held.code).toBe(3);
    expect(held.out).toMatch(/^held for review: weather/);
    expect(held.out).toContain("SKILL.md  info  other-format  ");
    expect((await run(folder, ["validate", "."])).code).toBe(0);
    expect((await run(folder, ["validate", ".", "--env", settings], { POLICY_INFO: "refuse" })).code).toBe(1);
  });

  it("ends with 2 where it cannot judge", async () => {
    const folder = await folders.write(weather);
    expect(await run(folder, ["validate", "absent"])).toMatchObject({
      code: 2,
      out: "",
      err: expect.stringContaining("absent"),
    });
    expect((await run(folder, ["validate"])).code).toBe(2);
    const bad = await run(folder, ["validate", "."], { LIMIT_ENTRIES: "many", POLICY_LOW: "no" });
    expect(bad).toMatchObject({ code: 2, out: "" });
    expect(bad.err).toContain("LIMIT_ENTRIES");
    expect(bad.err).toContain("POLICY_LOW");
    if (process.platform !== "win32") expect((await run(folder, ["validate", "/dev/null"])).code).toBe(2);
  });
});

it.each([["validate", "."], ["pack", "."], ["serve"]])(
  "a policy for a rule that does not exist stops %s",
  async (...args) => {
    const folder = await folders.write(weather);
    const { code, out, err } = await run(folder, args, { POLICY_RULES: "js-evil=refuse", PORT: "0", GRPC_PORT: "0" });
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain('POLICY_RULES: there is no rule "js-evil"; did you mean js-eval?');
  },
);

describe("pack", () => {
  it("writes the package by its name, once, and never packs it into itself", async () => {
    const folder = await folders.write({ ...weather, ".env": "KEY=1", "node_modules/x/y.js": "" });
    const first = await run(folder, ["pack", "."]);
    expect(first.code).toBe(0);
    expect(first.out).toMatch(/^weather-1\.2\.0\.zip: weather 1\.2\.0 .* 7 files, /);
    expect(first.err.split("\n")[0]).toBe("left out: .env* (1), node_modules (1)");
    const bytes = await readFile(join(folder, "weather-1.2.0.zip"));
    const again = await run(folder, ["pack", ".", "--json"]);
    expect(again.code).toBe(0);
    expect(JSON.parse(again.out)).toMatchObject({
      path: "weather-1.2.0.zip",
      outcome: "unchanged",
      files: 7,
      size: bytes.length,
      left_out: [
        { pattern: ".env*", count: 1 },
        { pattern: "node_modules", count: 1 },
        { pattern: "/weather-{version}.{zip,tar.gz,tgz}", count: 1 },
      ],
      verdict: { verdict: "accepted" },
    });
    await appendFile(join(folder, "README.md"), "more\n");
    const inTheWay = await run(folder, ["pack", "."]);
    expect(inTheWay).toMatchObject({ code: 1, out: "", err: expect.stringContaining("--force") });
    expect((await readFile(join(folder, "weather-1.2.0.zip"))).equals(bytes)).toBe(true);
    expect(JSON.parse((await run(folder, ["pack", ".", "--force", "--json"])).out)).toMatchObject({
      outcome: "written",
      files: 7,
    });
    expect((await readdir(folder)).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  it("writes where and as what it is told", async () => {
    const folder = await folders.write(weather);
    const place = dirname(folder);
    await mkdir(join(place, "dist"));
    const tar = await run(place, ["pack", "weather", "-o", "dist/w.tar.gz"]);
    expect(tar.out).toMatch(/^dist\/w\.tar\.gz: weather 1\.2\.0 /);
    expect((await run(place, ["validate", "dist/w.tar.gz"])).code).toBe(0);
    expect((await run(place, ["pack", "weather", "-o", "dist/w.zip", "--format", "tar.gz"])).code).toBe(2);
    expect((await run(place, ["pack", "weather", "-o", "dist"])).code).toBe(2);
    expect((await run(place, ["pack", "weather", "-o", "absent/w.zip"])).code).toBe(2);
    expect((await run(place, ["pack", "dist/w.tar.gz"])).code).toBe(2);
    expect(await readdir(join(place, "dist"))).toEqual(["w.tar.gz"]);
  });

  it("never packs what it wrote before, in any container and of any version", async () => {
    const folder = await folders.write({
      ...weather,
      "weather-1.0.0.zip": "old",
      "weather-1.2.0-rc.1.tar.gz": "old",
      "weather-0.9.0.tgz": "old",
      "weather-data.zip": "kept",
      "other-1.0.0.zip": "kept",
      "data/weather-1.0.0.zip": "kept",
    });
    for (const args of [[], ["--format", "tar.gz"], ["-o", "../w.zip"]]) {
      const packed = await run(folder, ["pack", ".", ...args, "--json"]);
      const { files, left_out: leftOut } = JSON.parse(packed.out);
      expect([args, files]).toEqual([args, 10]);
      expect(leftOut).toEqual([{ pattern: "/weather-{version}.{zip,tar.gz,tgz}", count: expect.any(Number) }]);
      expect(leftOut[0].count).toBeGreaterThanOrEqual(3);
    }
    const told = await run(folder, ["pack", "."]);
    expect(told.err.split("\n")[0]).toBe("left out: /weather-{version}.{zip,tar.gz,tgz} (5)");
  });

  it("refuses a file name that says neither zip nor tar.gz", async () => {
    const folder = await folders.write(weather);
    for (const name of ["w.tar", "w.rar", "weather-1.2.0"]) {
      const refused = await run(folder, ["pack", ".", "-o", name]);
      expect([refused.code, refused.out]).toEqual([2, ""]);
      expect(refused.err).toMatch(/^-o: .* ends in neither \.zip nor \.tar\.gz.*--format/);
    }
    expect((await run(folder, ["pack", ".", "-o", "w.bin", "--format", "zip"])).code).toBe(0);
    expect((await run(folder, ["pack", ".", "-o", "../W.ZIP"])).code).toBe(0);
  });

  it("stores what compresses so well that the registry would take it for a bomb", async () => {
    const folder = await folders.write({ ...weather, "zeros.bin": Buffer.alloc(3 * 1024 * 1024) });
    const packed = await run(folder, ["pack", ".", "--json"]);
    expect(JSON.parse(packed.out)).toMatchObject({ outcome: "written", verdict: { verdict: "accepted" } });
  });

  it("writes nothing that a registry refuses, unless forced", async () => {
    const { LICENSE: _license, ...files } = weather;
    const folder = await folders.write(files);
    const refused = await run(folder, ["pack", "."]);
    expect(refused).toMatchObject({ code: 1, out: "" });
    expect(refused.err).toContain("refused: MISSING_FILE");
    expect(await readdir(folder)).not.toContain("weather-1.2.0.zip");
    const forced = await run(folder, ["pack", ".", "--force", "-o", "w.zip"]);
    expect(forced.code).toBe(0);
    expect(forced.err).toContain("refused: MISSING_FILE");
    expect((await run(folder, ["validate", "w.zip"])).code).toBe(1);
  });

  it("refuses names that the registry refuses, and links, before anything is written", async () => {
    const named = await folders.write({ ...weather, "aux.py": "" });
    expect((await run(named, ["pack", "."])).err).toContain("NAME_RESERVED");
    const linked = await folders.write(weather);
    await symlink("README.md", join(linked, "link.md"));
    const refused = await run(linked, ["pack", ".", "--force"]);
    expect(refused.code).toBe(1);
    expect(refused.err).toContain("link.md: is a symbolic link");
    for (const folder of [named, linked])
      expect((await readdir(folder)).filter((name) => name.endsWith(".zip"))).toEqual([]);
  });

  it("asks for a file name where the package carries none", async () => {
    const folder = await folders.write({ "SKILL.md": "---\nname: greet\ndescription: Greets\n---\n# Greet\n" });
    const unnamed = await run(folder, ["pack", "."]);
    expect(unnamed).toMatchObject({ code: 2, err: expect.stringContaining("no version") });
    for (const outcome of ["written", "unchanged"]) {
      const named = await run(folder, ["pack", ".", "-o", "greet.zip", "--json"]);
      expect(JSON.parse(named.out)).toMatchObject({ path: "greet.zip", outcome, files: 1 });
    }
    expect((await run(folder, ["validate", "greet.zip", "--release-version", "1.0.0"])).code).toBe(0);
  });
});
