import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
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
