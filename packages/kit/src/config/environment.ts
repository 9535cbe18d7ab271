import { readFileSync } from "node:fs";
import { parseEnv } from "node:util";
import { type Environment, type SettingProblem, settingsError } from "./read.ts";
import type { SettingGroup } from "./setting.ts";

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/**
 * The one place that reads the process's environment: the settings file below, the environment above it, and `X_FILE`
 * for a confidential value that stands in a file of its own.
 * @param settingsFile path of a `.env` file; its absence is fine
 * @param group the settings whose confidential ones may stand in files
 * @throws kind `invalid_argument` where files named by `X_FILE` cannot be read or are empty
 */
export function readEnvironment(settingsFile: string, group: SettingGroup): Environment {
  const inFile = Object.entries(parseEnv(readIfThere(settingsFile) ?? ""));
  const inProcess = Object.entries(process.env);
  const values = new Map<string, string>();
  for (const [name, value] of [...inFile, ...inProcess]) if (value !== undefined) values.set(name, value);
  const problems: SettingProblem[] = [];
  for (const [name, { confidential }] of Object.entries(group)) {
    const path = values.get(`${name}_FILE`) ?? "";
    // A value given directly by the environment wins over a file named in the settings file.
    if (!confidential || path === "" || (values.get(name) ?? "") !== "") continue;
    try {
      const value = readFileSync(path, "utf8").trim();
      if (value === "") problems.push({ pointer: `${name}_FILE`, reason: `${path} is empty` });
      values.set(name, value);
    } catch (error) {
      problems.push({ pointer: `${name}_FILE`, reason: `cannot be read (${(error as Error).message})` });
    }
  }
  if (problems.length > 0) throw settingsError(problems);
  return { values, fromFile: new Set(inFile.map(([name]) => name)) };
}
