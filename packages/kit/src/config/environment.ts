import { readFileSync } from "node:fs";
import { parseEnv } from "node:util";
import { type Environment, settingsError } from "./read.ts";

/** Settings that may stand in a file of their own. */
const fromFiles = ["SECRET_KEY", "MONGODB_URL", "NATS_URL", "S3_ACCESS_KEY", "S3_SECRET_KEY", "OIDC_CLIENT_SECRET"];

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
 * for a value that stands in a file of its own.
 * @param settingsFile path of a `.env` file; its absence is fine
 * @throws kind `invalid_argument` where a file named by `X_FILE` cannot be read
 */
export function readEnvironment(settingsFile: string): Environment {
  const inFile = Object.entries(parseEnv(readIfThere(settingsFile) ?? ""));
  const inProcess = Object.entries(process.env);
  const values = new Map<string, string>();
  for (const [name, value] of [...inFile, ...inProcess]) if (value !== undefined) values.set(name, value);
  // A value given directly by the environment wins over a file named in the settings file.
  for (const name of fromFiles) {
    const path = values.get(`${name}_FILE`);
    if (path === undefined || values.has(name)) continue;
    try {
      values.set(name, readFileSync(path, "utf8").trim());
    } catch (error) {
      throw settingsError([{ pointer: `${name}_FILE`, reason: `cannot be read (${(error as Error).message})` }]);
    }
  }
  return { values, fromFile: new Set(inFile.map(([name]) => name)) };
}
