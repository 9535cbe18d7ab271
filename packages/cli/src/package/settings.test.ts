import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { archiveRules } from "@registry/archive";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { nearMissRule } from "../../../../services/catalog/src/model/checks.ts";
import { Folders, rules } from "../testing/folders.ts";
import { readPackageRules } from "./settings.ts";

let folders: Folders;
beforeAll(async () => {
  folders = await Folders.create();
});
afterAll(() => folders.remove());

async function settingsFile(text: string): Promise<string> {
  const path = join(await folders.empty(), "settings");
  await writeFile(path, text);
  return path;
}

it("are the registry's defaults where nothing is said", () => {
  expect(readPackageRules(join(folders.root, "absent"))).toEqual(rules);
});

it("come from a settings file, and what else stands there is not looked at", async () => {
  const text = "LIMIT_ENTRIES=7\nPOLICY_MEDIUM=refuse\nPOLICY_RULES=npm-install-script=hold\nPORT=no\nOWN_KEY=1\n";
  const read = readPackageRules(await settingsFile(text));
  expect(read.limits.entries).toBe(7);
  expect(read.policy.bySeverity.medium).toBe("refuse");
  expect([...read.policy.byRule]).toEqual([["npm-install-script", "hold"]]);
});

it("are all told when they are bad", async () => {
  const path = await settingsFile("LIMIT_ENTRIES=many\nPOLICY_LOW=no\nLIMIT_TYPO=1\nLIMIT_CONNECTIONS=no\n");
  expect(() => readPackageRules(path)).toThrow(
    expect.objectContaining({
      kind: "invalid_argument",
      reason: "INVALID_SETTINGS",
      fields: expect.toSatisfy(
        (fields: { pointer: string }[]) =>
          fields
            .map(({ pointer }) => pointer)
            .sort()
            .join() === "LIMIT_ENTRIES,LIMIT_TYPO,POLICY_LOW",
      ),
    }),
  );
  expect(() => readPackageRules(folders.root)).toThrow("--env");
});

describe("rules of the policy", () => {
  const refusal = async (rules: string): Promise<string> => {
    const path = await settingsFile(`POLICY_RULES=${rules}\n`);
    try {
      readPackageRules(path);
      return "none";
    } catch (error) {
      return (error as Error).message;
    }
  };

  it("that exist are taken, the catalog's own and inconclusive ones too", async () => {
    const all = [...archiveRules, nearMissRule].map((rule) => `${rule}=hold`).join(",");
    expect(await refusal(all)).toBe("none");
  });

  it("that do not exist are told, with the one that was meant", async () => {
    const message = await refusal("js-child-proces=warn,npm-install-script=hold,name-nearmiss=refuse");
    expect(message).toContain('POLICY_RULES: there is no rule "js-child-proces"; did you mean js-child-process?');
    expect(message).toContain('POLICY_RULES: there is no rule "name-nearmiss"; did you mean name-near-miss?');
    expect(message).not.toContain("npm-install-script");
  });

  it("that are like none are told with all there are", async () => {
    const message = await refusal("no-such-rule=refuse");
    expect(message).toContain('there is no rule "no-such-rule"; there are: ');
    for (const rule of [...archiveRules, nearMissRule]) expect(message).toContain(rule);
  });

  it("that are no pairs are told once", async () => {
    expect((await refusal("npm-install-script")).match(/POLICY_RULES/g)).toHaveLength(1);
  });
});
