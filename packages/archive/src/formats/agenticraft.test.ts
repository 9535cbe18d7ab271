import { isRegistryError } from "@registry/domain";
import { describe, expect, test } from "vitest";
import { defaultArchiveLimits } from "../limits.ts";
import { pluginYaml } from "../test-support/sample.ts";
import { readAgentiCraft } from "./agenticraft.ts";

const read = (text: string) => readAgentiCraft(text, defaultArchiveLimits);
const withLines = (...lines: readonly string[]): string => `${pluginYaml}${lines.join("\n")}\n`;
const replacing = (key: string, line: string): string =>
  pluginYaml.replace(new RegExp(`^${key}:.*\\n`, "m"), `${line}\n`);

/** `pointer: reason` of every violation. */
function violations(text: string): readonly string[] {
  try {
    read(text);
    return [];
  } catch (error) {
    if (!isRegistryError(error)) throw error;
    expect(error).toMatchObject({ kind: "rejected", reason: "INVALID_MANIFEST" });
    return error.fields.map((field) => `${field.pointer}: ${field.reason}`);
  }
}
const pointers = (text: string): readonly string[] => violations(text).map((line) => line.split(":")[0] ?? "");

describe("plugin.yaml", () => {
  test("is completed with every default, and nothing is null by accident", () => {
    expect(read(pluginYaml).manifest).toEqual({
      name: "weather",
      version: "1.2.0",
      type: "tool",
      category: "other",
      title: "Weather",
      description: "Tells the weather",
      long_description: null,
      author: { name: "Ada" },
      license: "MIT",
      entry_point: "weather.main:Weather",
      requirements: { python: ">=3.10", agenticraft: ">=0.2.0", dependencies: [], system: {} },
      config: [],
      tags: [],
      capabilities: [],
      endpoints: [],
      examples: [],
    });
  });

  test("null is the same as absent", () => {
    const nulls = ["category", "homepage", "requirements", "config", "tags", "capabilities", "endpoints", "examples"];
    const text = withLines(...nulls.map((key, index) => `${key}: ${["null", "~", ""][index % 3]}`));
    expect(read(text).manifest).toEqual(read(pluginYaml).manifest);
  });

  test("keeps all that it gives", () => {
    const text = withLines(
      "category: data",
      "license: Apache-2.0",
      "long_description: |\n  More\n",
      "homepage: https://example.com/",
      "repository: http://example.com/git",
      "documentation: https://docs.example.com",
      "requirements: {python: 3.11, system: {linux: libfoo}, dependencies: [{name: a}, {name: b, version: ^1.2.3, optional: yes}]}",
      "config: [{name: n, description: d, default_value: 3, type: integer}, {name: m, description: d, default_value: no, type: string, required: true, env_var: M}]",
      "tags: [web, 2024, no]",
      "capabilities: [x]",
      "endpoints: [{path: /a, description: d, input_schema: {type: object}}]",
      "examples: [{code: x, n: 1}]",
    );
    const { manifest, record } = read(text);
    expect(manifest).toMatchObject({
      category: "data",
      license: "Apache-2.0",
      long_description: "More\n",
      homepage: "https://example.com/",
      requirements: {
        python: "3.11",
        system: { linux: "libfoo" },
        dependencies: [
          { name: "a", version: "*", optional: false },
          { name: "b", version: "^1.2.3", optional: true },
        ],
      },
      config: [
        { name: "n", description: "d", default_value: 3, type: "integer", required: false },
        { name: "m", description: "d", default_value: "no", type: "string", required: true, env_var: "M" },
      ],
      tags: ["web", "2024", "no"],
      endpoints: [{ path: "/a", description: "d", method: "POST", input_schema: { type: "object" } }],
      examples: [{ code: "x", n: 1 }],
    });
    expect(record).toMatchObject({
      homepage: "https://example.com/",
      dependencies: [
        { name: "a", requirement: "*", optional: false },
        { name: "b", requirement: "^1.2.3", optional: true },
      ],
    });
  });

  test("what the registry sets itself and unknown keys are dropped", () => {
    const own = [
      "published_at: 2020-01-01",
      "updated_at: x",
      "downloads: 9",
      "rating: 5",
      "verified: true",
      "color: red",
    ];
    expect(read(withLines(...own)).manifest).toEqual(read(pluginYaml).manifest);
  });

  test("every violation is reported at once, with what was found and what is allowed", () => {
    const found = violations("name: Bad Name\nversion: 1.10\ntype: robot\nauthor: Ada\nlicense: WTFPL\ntags: web\n");
    expect(found).toEqual([
      expect.stringMatching(/^\/name: "Bad Name" is not allowed; use 1 to 64 of/),
      expect.stringMatching(/^\/version: "1.10" is not allowed; use N\.N\.N/),
      '/type: "robot" is not allowed; use one of tool, agent, memory, provider, workflow, reasoning',
      "/title: is required",
      "/description: is required",
      "/author: is not a map of keys and values",
      expect.stringMatching(/^\/license: "WTFPL" is not allowed; use one of MIT,/),
      "/entry_point: is required",
      "/tags: is not a list",
    ]);
  });

  test.each(["weather", "a", "a-b", "1-2", "x".repeat(64), "no", "true", "123"])("the name %s is allowed", (name) => {
    expect(read(replacing("name", `name: ${name}`)).name).toBe(name);
  });
  test.each(["A", "a_b", "a.b", "-a", "a-", "a--b", "x".repeat(65), "publish", "all", "'@a/b'", "''", "null", "[a]"])(
    "the name %s is refused",
    (name) => {
      expect(pointers(replacing("name", `name: ${name}`))).toContain("/name");
    },
  );
  test.each(["1.0.0", "0.0.1", "1.10.0", "1.0.0-rc.1", "1.0.0-alpha", "10.20.30"])(
    "the version %s is allowed",
    (version) => {
      expect(read(replacing("version", `version: ${version}`)).version).toBe(version);
    },
  );
  test.each([
    "1.10",
    "1",
    "1.0",
    "v1.0.0",
    "1.0.0+build",
    "01.0.0",
    "1.0.0-",
    "1.0.0-a_b",
    "1.0.0-01",
    "latest",
    "'1.0.0\\n'",
  ])("the version %s is refused", (version) => {
    expect(pointers(replacing("version", `version: ${version}`))).toContain("/version");
  });
  test.each(["*", "1.2.3", ">1.2.3", ">=1.2.3", "<1.2.3", "<=1.2.3", "=1.2.3", "~1.2.3", "^1.2.3", "1.2.*", "1.*"])(
    "the requirement %s is allowed",
    (version) => {
      expect(violations(withLines(`requirements: {dependencies: [{name: a, version: "${version}"}]}`))).toEqual([]);
    },
  );
  test.each(["", "latest", ">= 1.2.3", "1.2", "1.2.x", ">1.2.3 <2.0.0", "!=1.2.3", "**"])(
    "the requirement %j is refused",
    (version) => {
      expect(
        pointers(withLines(`requirements: {dependencies: [{name: b}, {name: a, version: "${version}"}]}`)),
      ).toEqual(["/requirements/dependencies/1/version"]);
    },
  );
  test.each([
    "javascript:alert(1)",
    "ftp://a.b",
    "//a.b",
    "example.com",
    "",
    "http://",
    "https://a b",
    "data:text/html,x",
  ])("the URL %j is refused", (url) => {
    for (const key of ["homepage", "repository", "documentation"]) {
      expect(pointers(withLines(`${key}: "${url}"`))).toEqual([`/${key}`]);
    }
    expect(pointers(pluginYaml.replace("name: Ada", `name: Ada\n  url: "${url}"`))).toEqual(["/author/url"]);
  });

  const wrong: readonly (readonly [string, string])[] = [
    ["title: ''", "/title"],
    ["title: [a]", "/title"],
    [`description: ${"x".repeat(1001)}`, "/description"],
    ["category: food", "/category"],
    ["requirements: []", "/requirements"],
    ["requirements: {dependencies: {}}", "/requirements/dependencies"],
    ["requirements: {dependencies: [a]}", "/requirements/dependencies/0"],
    ["requirements: {dependencies: [{version: '*'}]}", "/requirements/dependencies/0/name"],
    ["requirements: {dependencies: [{name: a, optional: maybe}]}", "/requirements/dependencies/0/optional"],
    ["requirements: {dependencies: [{name: a, optional: 'true'}]}", "/requirements/dependencies/0/optional"],
    ["requirements: {system: [linux]}", "/requirements/system"],
    ["config: [{name: a, description: b, type: c}]", "/config/0/default_value"],
    ["config: [{name: a, description: b, default_value: 1}]", "/config/0/type"],
    ["tags: [{a: b}]", "/tags/0"],
    ["endpoints: [{description: b}]", "/endpoints/0/path"],
    ["endpoints: [{path: a, description: b, input_schema: c}]", "/endpoints/0/input_schema"],
    ["examples: [a]", "/examples/0"],
  ];
  test.each(wrong)("%s is refused", (line, pointer) => {
    const key = line.split(":")[0] ?? "";
    const text = pluginYaml.includes(`\n${key}:`) ? replacing(key, line) : withLines(line);
    expect(pointers(text)).toEqual([pointer]);
  });

  test.each(["", "just a text", "- a", "null"])("a document that is no map is refused: %j", (text) => {
    expect(pointers(text)).toEqual([""]);
  });

  test("the description limit is the one that is passed in", () => {
    expect(() => readAgentiCraft(pluginYaml, { ...defaultArchiveLimits, descriptionLength: 5 })).toThrow("at most 5");
  });
});
