import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Inspection } from "../inspection.ts";
import { plugin, Scratch } from "../test-support/sample.ts";
import { entriesOf, forgeZip } from "../test-support/zip-forge.ts";

let scratch: Scratch;
beforeAll(async () => {
  scratch = await Scratch.create();
});
afterAll(() => scratch.remove());

type Files = Readonly<Record<string, unknown>>;
const inspect = (files: Files): Promise<Inspection> =>
  scratch.inspect(
    forgeZip(
      entriesOf(
        Object.fromEntries(
          Object.entries(files).map(([path, value]) => [
            path,
            typeof value === "string" ? value : JSON.stringify(value),
          ]),
        ),
      ),
    ),
  );
const rules = (inspection: Inspection): readonly string[] => inspection.findings.map((finding) => finding.rule);
const skill = (name: string): string => `---\nname: ${name}\ndescription: Does ${name}\n---\n# ${name}\n`;

describe("the format", () => {
  test("is told by the first manifest; others are findings", async () => {
    const all = {
      ...plugin,
      "plugin.json": {},
      "manifest.json": {},
      "server.json": {},
      "SKILL.md": "",
      "package.json": {},
    };
    const inspection = await inspect(all);
    expect(inspection.format).toBe("agenticraft");
    expect(inspection.findings.map((finding) => [finding.rule, finding.file])).toEqual([
      ["other-format", "plugin.json"],
      ["other-format", "manifest.json"],
      ["other-format", "server.json"],
      ["other-format", "SKILL.md"],
      ["other-format", "package.json"],
    ]);
  });
  test("that is in a folder is refused with the remedy", async () => {
    await expect(inspect({ "weather/plugin.yaml": "", "weather/README.md": "" })).rejects.toMatchObject({
      reason: "MANIFEST_IN_FOLDER",
      message:
        "plugin.yaml is in the folder weather/, not at the root: pack the folder's contents, not the folder itself",
    });
  });
  test("that is nowhere is refused", async () => {
    await expect(inspect({ "README.md": "" })).rejects.toMatchObject({
      kind: "rejected",
      reason: "MANIFEST_NOT_FOUND",
    });
  });
});

describe("AgentiCraft", () => {
  test.each(["README.md", "LICENSE"])("needs %s", async (file) => {
    const { [file]: _left, ...rest } = plugin;
    await expect(inspect(rest)).rejects.toMatchObject({ kind: "rejected", reason: "MISSING_FILE" });
  });
  test("carries README, changelog, files with digests and dangerous calls", async () => {
    const inspection = await inspect({
      ...plugin,
      "CHANGELOG.md": "# 1.2.0\n",
      "src/run.py": "import os\nos.system('ls')\nx = 1\neval('x')\n",
    });
    expect(inspection).toMatchObject({ readme: "# Weather\n", changelog: "# 1.2.0\n", hasLicense: true });
    expect(inspection.files.find((file) => file.path === "LICENSE")).toEqual({
      path: "LICENSE",
      size: 4,
      sha256: "adc37366f403835c1470ab2df93d3837d4719372fc1ef8593d922e06f033f8b2",
      mode: 0o644,
    });
    expect(inspection.findings).toEqual([
      {
        rule: "python-os-system",
        severity: "critical",
        message: expect.stringContaining("os.system"),
        file: "src/run.py",
        line: 2,
      },
      {
        rule: "python-eval",
        severity: "critical",
        message: expect.stringContaining("eval"),
        file: "src/run.py",
        line: 4,
      },
    ]);
    expect(structuredClone(inspection)).toEqual(inspection);
    expect(JSON.parse(JSON.stringify(inspection))).toEqual(inspection);
  });
});

describe("AgentOS", () => {
  const manifest = {
    id: "com.acme.weather",
    name: "Weather Extension",
    version: "0.1.0",
    description: "Weather",
    categories: ["channel"],
    extensions: [{ kind: "tool", id: "a" }],
    requiredSecrets: ["weather.key", { id: "x", envVar: "X" }],
  };
  const npm = {
    name: "@acme/agentos-ext-weather",
    version: "0.1.0",
    main: "dist/index.js",
    dependencies: { a: "^1.0.0" },
  };
  test("takes its name from package.json, its kind from its extensions", async () => {
    const inspection = await inspect({ "manifest.json": manifest, "package.json": npm });
    expect(inspection).toMatchObject({
      format: "agentos",
      kind: "tool",
      name: "@acme/agentos-ext-weather",
      version: "0.1.0",
      record: { title: "Weather Extension", category: "channel", dependencies: [{ name: "a", requirement: "^1.0.0" }] },
      findings: [],
    });
  });
  test("several kinds make a bundle", async () => {
    const extensions = [...manifest.extensions, { kind: "guardrail", id: "b" }];
    expect((await inspect({ "manifest.json": { ...manifest, extensions }, "package.json": npm })).kind).toBe("bundle");
  });
  test("the dialect without id is read too", async () => {
    const other = {
      name: "weather",
      version: "1.0.0",
      description: "x",
      kind: "guardrail",
      extensionId: "w",
      entryPoint: "a.js",
    };
    const inspection = await inspect({ "manifest.json": other });
    expect(inspection).toMatchObject({ kind: "guardrail", name: "weather" });
    expect(rules(inspection)).toEqual(["no-package-json"]);
  });
  test("without package.json the id is the name", async () => {
    expect((await inspect({ "manifest.json": manifest })).name).toBe("com.acme.weather");
  });
  test("versions that differ, no entry and install scripts are findings", async () => {
    const odd = { name: "x", version: "9.0.0", scripts: { postinstall: "node x" } };
    expect(rules(await inspect({ "manifest.json": manifest, "package.json": odd }))).toEqual([
      "version-differs",
      "no-entry",
      "npm-install-script",
    ]);
  });
  test.each([{ version: "1" }, { name: undefined }, { extensions: [{}] }])("%j is refused", async (change) => {
    await expect(inspect({ "manifest.json": { ...manifest, ...change } })).rejects.toMatchObject({
      reason: "INVALID_MANIFEST",
    });
  });
});

describe("MCP server entry", () => {
  const entry = { name: "com.example/weather", description: "Weather", version: "1.0.0" };
  test("is named after its namespace", async () => {
    const inspection = await inspect({ "server.json": { ...entry, remotes: [{ type: "sse", url: "https://a.b/c" }] } });
    expect(inspection).toMatchObject({
      format: "mcp-server",
      kind: "mcp-server",
      name: "@com.example/weather",
      version: "1.0.0",
    });
  });
  test("leaves the name open where the registry's rule does not take it", async () => {
    expect((await inspect({ "server.json": { ...entry, name: "com.example/my_server" } })).name).toBeUndefined();
  });
  test.each([
    { name: "weather" },
    { description: undefined },
    { version: "latest" },
    { packages: [{}] },
    { description: "x".repeat(101) },
  ])("%j is refused", async (change) => {
    await expect(inspect({ "server.json": { ...entry, ...change } })).rejects.toMatchObject({
      reason: "INVALID_MANIFEST",
    });
  });
});

describe("Agent Skill", () => {
  test("takes its version from its metadata", async () => {
    const text =
      "---\nname: deploy\ndescription: Deploys\nlicense: MIT\nmetadata:\n  version: 1.10.0\n  author: Ada\n---\nDo it.\n";
    expect(await inspect({ "SKILL.md": text })).toMatchObject({
      format: "skill",
      kind: "skill",
      name: "deploy",
      version: "1.10.0",
      record: { description: "Deploys", license: "MIT", author: { name: "Ada" } },
    });
  });
  test("may have no version", async () => {
    expect((await inspect({ "SKILL.md": skill("deploy") })).version).toBeUndefined();
  });
  test.each(["# no front matter", "---\ndescription: b\n---\n", "---\nname: a\n---\n", "---\n- a\n---\n"])(
    "%j is refused",
    async (text) => {
      await expect(inspect({ "SKILL.md": text })).rejects.toMatchObject({ reason: "INVALID_MANIFEST" });
    },
  );
});

describe("npm", () => {
  test("is read from package.json alone", async () => {
    const npm = {
      name: "@acme/x_y",
      version: "1.0.0",
      author: "Ada <ada@example.com> (https://example.com)",
      repository: { type: "git", url: "git+https://example.com/x.git" },
      license: "MIT",
      keywords: ["a", "a", 3],
      dependencies: { b: "^1.0.0" },
      optionalDependencies: { c: "*" },
    };
    expect(await inspect({ "package.json": npm })).toMatchObject({
      format: "npm",
      kind: "package",
      name: "@acme/x_y",
      record: {
        author: { name: "Ada", email: "ada@example.com", url: "https://example.com" },
        repository: "https://example.com/x.git",
        tags: ["a"],
        dependencies: [
          { name: "b", requirement: "^1.0.0", optional: false },
          { name: "c", requirement: "*", optional: true },
        ],
      },
    });
  });
  test.each([{ name: "Bad Name" }, { name: "../x" }, { version: "1.0" }])("%j is refused", async (change) => {
    const npm = { name: "a", version: "1.0.0", ...change };
    await expect(inspect({ "package.json": npm })).rejects.toMatchObject({ reason: "INVALID_MANIFEST" });
  });
});
