import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Inspection } from "../inspection.ts";
import { Scratch } from "../test-support/sample.ts";
import { entriesOf, forgeZip } from "../test-support/zip-forge.ts";

/** Manifests that break the letter of a format's documentation and work with its clients. */
let scratch: Scratch;
beforeAll(async () => {
  scratch = await Scratch.create();
});
afterAll(() => scratch.remove());

const inspect = (path: string, text: string): Promise<Inspection> =>
  scratch.inspect(forgeZip(entriesOf({ [path]: text })));
const found = (inspection: Inspection): readonly (readonly [string, string | undefined])[] =>
  inspection.findings.map(({ rule, pointer }) => [rule, pointer]);

describe("Agent Skill", () => {
  const skill = (front: string, body = "Do it.\n"): Promise<Inspection> =>
    inspect("SKILL.md", `---\n${front}\n---\n${body}`);

  test.each(["Release Notes", "release_notes", "team:release-notes", "release--notes", "Kürbis"])(
    "named %j leaves its name to the publisher",
    async (name) => {
      const inspection = await skill(`name: ${name}\ndescription: Writes them`);
      expect(inspection.name).toBeUndefined();
      expect(inspection.record.title).toBe(name);
      expect(found(inspection)).toEqual([["skill-name", "/name"]]);
    },
  );
  test("named like a route leaves its name to the publisher", async () => {
    const inspection = await skill("name: search\ndescription: Finds");
    expect(inspection.name).toBeUndefined();
    expect(inspection.findings[0]?.message).toContain("is reserved");
  });
  test.each(['"a\\nb"', '"a\\u202eb"', `"${"a".repeat(201)}"`, '""'])("named %j is refused", async (name) => {
    await expect(skill(`name: ${name}\ndescription: x`)).rejects.toMatchObject({
      reason: "INVALID_MANIFEST",
      fields: [{ pointer: "/name" }],
    });
  });

  test("with lines that end as on Windows is read to its last line", async () => {
    const text = '---\r\nname: notes\r\ndescription: Writes them\r\nversion: "1.2.0"\r\n---\r\nDo it.\r\n';
    const { name, version, record } = await inspect("SKILL.md", text);
    expect([name, version, record.description]).toEqual(["notes", "1.2.0", "Writes them"]);
  });

  test.each([
    ["metadata: {version: 1.0}", "1.0.0", [["version-completed", "/metadata/version"]]],
    ["version: '2'", "2.0.0", [["version-completed", "/version"]]],
    ["version: v1.2.3-rc.1", "1.2.3-rc.1", [["version-completed", "/version"]]],
    ["version: 1.2.3", "1.2.3", []],
    ["version: 9.9.9\nmetadata: {version: 1.2.3}", "1.2.3", []],
    ["version: 2025.01.05", undefined, [["version-not-semver", "/version"]]],
    ["version: 1.2.3+build", undefined, [["version-not-semver", "/version"]]],
    ["version: [1, 2]", undefined, []],
  ])("with %j has version %j", async (line, version, findings) => {
    const inspection = await skill(`name: notes\ndescription: Writes\n${line}`);
    expect(inspection.version).toBe(version);
    expect(found(inspection)).toEqual(findings);
  });

  test("may keep lists and maps where others write a text", async () => {
    const front = "name: notes\ndescription: Writes\nmetadata: [a, b]\nlicense: {name: MIT}\nauthor: [Ada]";
    const { record, findings } = await skill(front);
    expect(record.author).toBeUndefined();
    expect(record.license).toBeUndefined();
    expect(findings).toEqual([]);
  });
  test("may have a long description, of which as many characters are shown as for others", async () => {
    const { record } = await skill(`name: notes\ndescription: ${"a".repeat(998)}${"😀".repeat(13)}`);
    expect(record.description).toBe(`${"a".repeat(998)}…`);
    expect(found(await skill(`name: notes\ndescription: ${"a".repeat(1025)}`))).toEqual([
      ["skill-description", "/description"],
    ]);
  });
  test("may be as long as a README, not longer", async () => {
    const front = "name: notes\ndescription: Writes";
    const line = (at: number): string => `${at} ${Math.sin(at)}\n`;
    const long = Array.from({ length: 5000 }, (_, at) => line(at)).join("");
    expect(long.length).toBeGreaterThan(64 * 1024);
    expect((await skill(front, long)).name).toBe("notes");
    await expect(skill(front, long.repeat(5))).rejects.toMatchObject({ reason: "MANIFEST_TOO_LARGE" });
  });

  test.each([
    ["description: Use when: asked", 'SKILL.md, line 3, is not valid YAML (put a text with ": " in it in quotes)'],
    ["description: *notes* are written", "SKILL.md, line 3, uses an anchor or alias, which is not allowed; put a text"],
    [
      "description: a\n\nsecond line\nlicense: MIT",
      "SKILL.md, line 5, is not valid YAML (a line is no key with a value",
    ],
  ])("with %j is told where and how to mend it", async (line, message) => {
    await expect(skill(`name: notes\n${line}`)).rejects.toMatchObject({
      reason: "INVALID_YAML",
      message: expect.stringContaining(message),
    });
  });
});

describe("MCP server entry", () => {
  const server = (change: object): Promise<Inspection> => {
    const entry = { name: "com.example/weather", description: "Weather", version: "1.0.0", ...change };
    return inspect("server.json", JSON.stringify(entry));
  };

  test.each([{}, { url: "", source: "" }, { url: "https://example.com/x" }])(
    "may have the repository %j",
    async (repository) => {
      const { url } = repository as { url?: string };
      expect((await server({ repository })).record.repository).toBe(url === "" ? undefined : url);
    },
  );
  test.each([
    ["v0.4.0", "0.4.0", "version-completed"],
    ["2.1", "2.1.0", "version-completed"],
    ["0.5.2rc4", undefined, "version-not-semver"],
    ["2025.11.17.0708", undefined, "version-not-semver"],
    ["3.3.0.1", undefined, "version-not-semver"],
  ])("of version %j has %j", async (written, version, rule) => {
    const inspection = await server({ version: written });
    expect(inspection.version).toBe(version);
    expect(found(inspection)).toEqual([[rule, "/version"]]);
  });
  test.each(["latest", "<<Version>>", "{{VERSION_1}}", "^1.2.0", ">=1", "", "1.0.1º", "1".repeat(256)])(
    "of version %j is refused",
    async (version) => {
      await expect(server({ version })).rejects.toMatchObject({ reason: "INVALID_MANIFEST" });
    },
  );
  test("of the first drafts is refused with the remedy", async () => {
    await expect(server({ version: undefined, version_detail: { version: "1.0.0" } })).rejects.toMatchObject({
      message: expect.stringContaining("version: is required, as a text at the top"),
    });
  });
  test("with a long description is told the schema's limit", async () => {
    await expect(server({ description: "x".repeat(101) })).rejects.toMatchObject({
      message: expect.stringContaining("more than the 100 characters that the MCP Registry's schema allows"),
    });
  });
});

describe("Agent Plugins", () => {
  test.each([
    ["1.0", "1.0.0", "version-completed"],
    ["1.0.0+1", undefined, "version-not-semver"],
    ["spring", undefined, "version-not-semver"],
  ])("of version %j has %j", async (written, version, rule) => {
    const $schema = "https://agent-plugins.org/schemas/1.0.0/plugin.schema.json";
    const inspection = await inspect("plugin.json", JSON.stringify({ $schema, name: "notes", version: written }));
    expect(inspection.version).toBe(version);
    expect(found(inspection)).toEqual([[rule, "/version"]]);
  });
});

describe("npm", () => {
  test.each([
    ["ada/notes", "https://github.com/ada/notes"],
    ["gitlab:ada/notes", "https://gitlab.com/ada/notes"],
    ["git://github.com/ada/notes.git", "https://github.com/ada/notes.git"],
    ["git+ssh://git@example.com/ada/notes.git", "https://example.com/ada/notes.git"],
    ["git@example.com:ada/notes.git", "https://example.com/ada/notes.git"],
    ["git+https://example.com/ada/notes.git", "https://example.com/ada/notes.git"],
    ["javascript:alert(1)", undefined],
    ["file:../notes", undefined],
    ["../notes", undefined],
  ])("understands the repository %j", async (written, url) => {
    const of = async (repository: unknown): Promise<string | undefined> =>
      (await inspect("package.json", JSON.stringify({ name: "notes", version: "1.0.0", repository }))).record
        .repository;
    expect(await of(written)).toBe(url);
    expect(await of({ type: "git", url: written })).toBe(url);
  });
});
