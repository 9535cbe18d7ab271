import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Inspection } from "../inspection.ts";
import { Scratch } from "../test-support/sample.ts";
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
const schema = (version: string, file = "plugin"): string =>
  `https://agent-plugins.org/schemas/${version}/${file}.schema.json`;
const skill = (name: string): string => `---\nname: ${name}\ndescription: Does ${name}\n---\n# ${name}\n`;

describe("Agent Plugins", () => {
  const manifest = { $schema: schema("1.1.0"), name: "acme.tools", version: "1.0.0" };
  const server = { type: "stdio", command: "./bin/run" };
  const mcp = (servers: unknown): unknown => ({ $schema: schema("1.1.0", "mcp"), mcpServers: servers });

  test.each([
    [{ "skills/a/SKILL.md": skill("a") }, "skill"],
    [{ "mcp.json": mcp({ s: server }) }, "mcp-server"],
    [{ "skills/a/SKILL.md": skill("a"), "mcp.json": mcp({ s: server }) }, "bundle"],
    [{ "com.example.client/x.json": "{}" }, "bundle"],
    [{ "skills/a/SKILL.md": skill("a"), "mcp.json": mcp({}) }, "skill"],
  ])("%j is of kind %s", async (files, kind) => {
    const inspection = await inspect({ "plugin.json": manifest, ...files });
    expect(inspection).toMatchObject({ format: "agent-plugin", kind, name: "acme.tools", version: "1.0.0" });
    expect(inspection.findings).toEqual([]);
  });

  test("a version is not needed", async () => {
    const inspection = await inspect({ "plugin.json": { $schema: schema("1.0.0"), name: "a" } });
    expect(inspection.version).toBeUndefined();
    expect("version" in inspection).toBe(false);
  });

  test("of more skills than are checked, the rest is a finding", async () => {
    const many = Object.fromEntries(
      Array.from({ length: 101 }, (_, index) => [`skills/s${index}/SKILL.md`, skill(`s${index}`)]),
    );
    const inspection = await inspect({ "plugin.json": manifest, ...many });
    expect([inspection.record.capabilities.length, rules(inspection)]).toEqual([100, ["too-many-skills"]]);
  });

  test("unknown fields are findings, 1.1 fields in 1.0.0 too", async () => {
    const inspection = await inspect({
      "plugin.json": { ...manifest, $schema: schema("1.0.0"), icon: "./i.png", color: 1 },
    });
    expect(inspection.findings.map((finding) => [finding.rule, finding.pointer])).toEqual([
      ["unknown-field", "/icon"],
      ["unknown-field", "/color"],
    ]);
  });

  test.each([
    [{ $schema: "https://example.com/x" }, "/$schema"],
    [{ $schema: undefined }, "/$schema"],
    [{ name: "Bad" }, "/name"],
    [{ name: "a--b" }, "/name"],
    [{ version: 1 }, "/version"],
    [{ author: { name: "a", twitter: "b" } }, "/author"],
    [{ keywords: "a" }, "/keywords"],
    [{ homepage: 1 }, "/homepage"],
  ])("%j is refused", async (change, pointer) => {
    await expect(inspect({ "plugin.json": { ...manifest, ...change } })).rejects.toMatchObject({
      reason: "INVALID_MANIFEST",
      fields: [expect.objectContaining({ pointer })],
    });
  });

  test.each([
    ["a shell command", { type: "stdio", command: "sh -c x" }],
    ["a climbing command", { type: "stdio", command: "./../x" }],
    ["an absolute command", { type: "stdio", command: "/bin/sh" }],
    ["a climbing folder", { ...server, cwd: "./a/../.." }],
    ["an unknown field", { ...server, shell: true }],
    ["a field of another variant", { ...server, url: "https://a.b" }],
    ["an unknown type", { type: "tcp", command: "x" }],
    ["a reserved variable", { ...server, env: { PLUGIN_ROOT: "x" } }],
    ["plain http", { type: "sse", url: "http://example.com/x" }],
    ["a password in the URL", { type: "sse", url: "https://a:b@example.com/x" }],
    ["a fragment", { type: "sse", url: "https://example.com/x#y" }],
    ["a broken header", { type: "sse", url: "https://example.com/x", headers: { "a b": "c" } }],
    ["a header twice", { type: "sse", url: "https://example.com/x", headers: { "X-A": "c", "x-a": "d" } }],
    ["a text", "x"],
  ])("a server with %s is a finding and does not count", async (_title, bad) => {
    const inspection = await inspect({ "plugin.json": manifest, "mcp.json": mcp({ bad, good: server }) });
    expect(new Set(rules(inspection))).toEqual(new Set(["invalid-mcp-server"]));
    expect(inspection.findings[0]?.pointer).toMatch(/^\/mcpServers\/bad/);
    expect(inspection.record.capabilities).toEqual(["good"]);
  });
  test.each([
    { type: "streamable-http", url: "http://127.0.0.1:8080/x" },
    { type: "streamable-http", url: "http://[::1]/x", headers: { "X-Tenant": "a" } },
    { type: "stdio", command: "npx", args: ["-y", "x"], cwd: ["$", "{PLUGIN_DATA}/x"].join(""), env: { A: "b" } },
  ])("the server %j is accepted", async (good) => {
    expect(rules(await inspect({ "plugin.json": manifest, "mcp.json": mcp({ good }) }))).toEqual([]);
  });
  test("a credential in a header is a finding", async () => {
    const remote = { type: "sse", url: "https://example.com/x", headers: { Authorization: "Bearer x" } };
    expect(rules(await inspect({ "plugin.json": manifest, "mcp.json": mcp({ remote }) }))).toEqual([
      "mcp-header-credential",
    ]);
  });
  test("an mcp.json of another version is a finding", async () => {
    const other = { $schema: schema("1.0.0", "mcp"), mcpServers: { s: server } };
    const inspection = await inspect({ "plugin.json": manifest, "mcp.json": other });
    expect([inspection.kind, rules(inspection)]).toEqual(["bundle", ["invalid-mcp-server"]]);
  });
  test("an mcp.json that repeats a key is refused", async () => {
    await expect(inspect({ "plugin.json": manifest, "mcp.json": '{"a":1,"a":2}' })).rejects.toMatchObject({
      reason: "INVALID_JSON",
    });
  });
  test.each([
    skill("b"),
    "no front matter",
    "---\nname: a\n---\n",
    "---\nname: [a]\ndescription: x\n---\n",
    "---\na: &x 1\n---\n",
  ])("the skill %j is a finding", async (text) => {
    const inspection = await inspect({
      "plugin.json": manifest,
      "skills/a/SKILL.md": text,
      "skills/c/SKILL.md": skill("c"),
    });
    expect(rules(inspection)).toEqual(["invalid-skill"]);
    expect(inspection.record.capabilities).toEqual(["c"]);
  });
});
