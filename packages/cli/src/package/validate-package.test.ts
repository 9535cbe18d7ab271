import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { inspectArchive } from "@registry/archive";
import { checksFailed, defaultPolicy, isRegistryError, judge, type Policy } from "@registry/domain";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hostileArchives } from "../../../../test/builders/hostile.ts";
import { pluginZip } from "../../../../test/builders/plugin.ts";
import { clientTarGz, pythonZip } from "../../../../test/builders/python.ts";
import { hasTool } from "../../../archive/src/test-support/tools.ts";
import { Folders, rules, weather } from "../testing/folders.ts";
import { validatePackage } from "./validate-package.ts";

let folders: Folders;
beforeAll(async () => {
  folders = await Folders.create();
});
afterAll(() => folders.remove());

const tools = hasTool("python3", ["--version"]);
/** A manifest of another format, which is noted. */
const noted = { "SKILL.md": "# A skill\n" };

describe("the verdict on an archive", () => {
  it.each(hostileArchives("weather"))("refuses $what as the registry does", async ({ bytes, status, code }) => {
    const path = await folders.file(bytes);
    const expected: unknown = await inspectArchive({ path, size: bytes.length }, rules.limits).catch((error) => error);
    if (!isRegistryError(expected)) throw new Error("the inspection lets it pass");
    expect(await validatePackage(path, rules)).toMatchObject({
      verdict: "refused",
      status,
      code,
      detail: expected.message,
      errors: expected.fields,
      size: bytes.length,
      sha256: createHash("sha256").update(bytes).digest("hex"),
      name: null,
      findings: [],
    });
  });

  it("is what the policy makes of the findings", async () => {
    const bytes = pluginZip({ name: "weather", version: "1.2.0", files: noted });
    const path = await folders.file(bytes);
    const { findings } = await inspectArchive({ path, size: bytes.length }, rules.limits);
    expect(findings).toMatchObject([{ rule: "other-format", severity: "info", file: "SKILL.md" }]);
    for (const [action, verdict, status] of [
      ["refuse", "refused", 422],
      ["hold", "held", 202],
      ["warn", "accepted", 201],
      ["ignore", "accepted", 201],
    ] as const) {
      const policy: Policy = { ...defaultPolicy, byRule: new Map([["other-format", action]]) };
      const judged = judge(findings, policy);
      const answer = await validatePackage(path, { ...rules, policy });
      expect(answer).toMatchObject({ verdict, status, name: "weather", version: "1.2.0", files: 5, container: "zip" });
      expect(answer.findings.map((finding) => [finding.rule, finding.action])).toEqual(
        judged.findings.map((finding) => [finding.rule, finding.action]),
      );
      const refusal = action === "refuse" ? checksFailed(judged.findings) : undefined;
      expect([answer.code, answer.detail, answer.errors]).toEqual([
        refusal?.reason ?? null,
        refusal?.message ?? null,
        refusal?.fields ?? [],
      ]);
    }
  });

  it("holds what the form would say against what the package carries, before the policy has its say", async () => {
    const path = await folders.file(pluginZip({ name: "weather", version: "1.2.0", files: noted }));
    const strict: Policy = { ...defaultPolicy, bySeverity: { ...defaultPolicy.bySeverity, info: "refuse" } };
    const other = await validatePackage(path, { ...rules, policy: strict, version: "1.3.0" });
    expect(other).toMatchObject({ verdict: "refused", status: 422, code: "MANIFEST_MISMATCH", name: "weather" });
    expect(other.errors).toMatchObject([{ pointer: "/version" }]);
    const skill = await folders.write({ "SKILL.md": "---\nname: greet\ndescription: Greets\n---\n# Greet\n" });
    expect(await validatePackage(skill, rules)).toMatchObject({
      code: "INVALID_VERSION",
      name: "greet",
      version: null,
    });
    expect(await validatePackage(skill, { ...rules, version: "1.0.0" })).toMatchObject({
      verdict: "accepted",
      version: "1.0.0",
    });
    const reserved = await folders.file(pluginZip({ name: "weather" }));
    expect(await validatePackage(reserved, { ...rules, name: "other" })).toMatchObject({ code: "MANIFEST_MISMATCH" });
  });

  it("refuses by size before anything is read", async () => {
    const bytes = pluginZip({ name: "weather" });
    const path = await folders.file(bytes);
    const limited = (packageBytes: number) =>
      validatePackage(path, { ...rules, limits: { ...rules.limits, packageBytes } });
    expect(await limited(bytes.length)).toMatchObject({ verdict: "accepted" });
    expect(await limited(bytes.length - 1)).toMatchObject({
      verdict: "refused",
      status: 413,
      code: "PACKAGE_TOO_LARGE",
      errors: [{ pointer: "/package" }],
    });
  });

  it("takes no empty file and no text for an archive", async () => {
    for (const bytes of [new Uint8Array(), Buffer.from("name: weather\n")]) {
      const verdict = await validatePackage(await folders.file(bytes), rules);
      expect(verdict).toMatchObject({ verdict: "refused", status: 415, code: "UNSUPPORTED_ARCHIVE" });
    }
  });

  it.runIf(tools || process.env.CI !== undefined)("accepts what honest tools pack", async () => {
    for (const bytes of [pythonZip({ name: "weather" }), clientTarGz({ name: "weather" })]) {
      expect(await validatePackage(await folders.file(bytes), rules)).toMatchObject({
        verdict: "accepted",
        status: 201,
      });
    }
  });
});

describe("the verdict on a folder", () => {
  it("is that on the package that pack writes, and nothing is left behind", async () => {
    const folder = await folders.write(weather);
    const { bytes, verdict } = await folders.pack(folder);
    expect(await validatePackage(folder, rules)).toEqual(verdict);
    expect(verdict.sha256).toBe(createHash("sha256").update(bytes).digest("hex"));
    const before = await readdir(folder, { recursive: true });
    await validatePackage(folder, { ...rules, limits: { ...rules.limits, packageBytes: 10 } });
    expect(await readdir(folder, { recursive: true })).toEqual(before);
    expect(await readFile(`${folder}/LICENSE`, "utf8")).toBe(weather.LICENSE);
    expect(
      (await readdir(tmpdir())).filter((name) => name.startsWith(`agenticraft-registry-pack-${process.pid}`)),
    ).toEqual([]);
  });

  it("is a refusal with the registry's code where it cannot be packed", async () => {
    const folder = await folders.write(weather);
    const limits = { ...rules.limits, entries: 2 };
    expect(await validatePackage(folder, { ...rules, limits })).toMatchObject({
      verdict: "refused",
      status: 413,
      code: "TOO_MANY_ENTRIES",
      name: null,
    });
    expect(await validatePackage(await folders.empty(), rules)).toMatchObject({ code: "EMPTY_ARCHIVE", status: 422 });
  });

  it.each(["absent", "absent/below"])("is none where there is nothing: %s", async (path) => {
    const missing = validatePackage(`${folders.root}/${path}`, rules);
    await expect(missing).rejects.toMatchObject({ kind: "invalid_argument", reason: "PATH_NOT_FOUND" });
  });
});
