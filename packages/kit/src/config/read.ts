import { RegistryError } from "@registry/domain";
import type { SettingGroup, SettingsOf } from "./setting.ts";

/** Settings by name, as text, from wherever they came. */
export interface Environment {
  readonly values: ReadonlyMap<string, string>;
  /** Names from the settings file: every one of them must be known. */
  readonly fromFile: ReadonlySet<string>;
}

/** Our settings start like this, so a misspelt one in the environment is told instead of ignored. */
const ownPrefixes = ["S3_", "LIMIT_", "RATE_LIMIT_", "MONGODB_", "NATS_"];
/** Set by platforms beside ours (Kubernetes service links), so not ours to judge. */
const foreign = /^[A-Z0-9_]+_(?:SERVICE_HOST|SERVICE_PORT(?:_[A-Z0-9_]+)?|PORT(?:_\d+_[A-Z0-9_]+)?)$/;

function unknownSettings(environment: Environment, known: ReadonlySet<string>): string[] {
  const base = (name: string): string => (name.endsWith("_FILE") ? name.slice(0, -5) : name);
  return [...environment.values.keys()].filter((name) => {
    if (known.has(name) || known.has(base(name))) return false;
    return environment.fromFile.has(name) || (ownPrefixes.some((p) => name.startsWith(p)) && !foreign.test(name));
  });
}

/**
 * Reads every setting of the group at once.
 * @throws kind `invalid_argument`, reason `INVALID_SETTINGS`, with one field error for each bad or unknown setting
 */
export function readSettings<G extends SettingGroup>(group: G, environment: Environment): SettingsOf<G> {
  const problems: { pointer: string; reason: string }[] = [];
  const result: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries(group)) {
    const value = environment.values.get(name);
    try {
      result[name] = value === undefined || value === "" ? setting.fallback : setting.parse(value);
    } catch (error) {
      problems.push({ pointer: name, reason: error instanceof Error ? error.message : "unreadable" });
    }
  }
  for (const name of unknownSettings(environment, new Set(Object.keys(group)))) {
    problems.push({ pointer: name, reason: "no such setting; see agenticraft-registry serve --help" });
  }
  if (problems.length > 0) throw settingsError(problems);
  return result as SettingsOf<G>;
}

export function settingsError(problems: readonly { pointer: string; reason: string }[]): RegistryError {
  const lines = problems.map((problem) => `  ${problem.pointer}: ${problem.reason}`);
  return new RegistryError("invalid_argument", "INVALID_SETTINGS", `settings:\n${lines.join("\n")}`, {
    fields: problems,
  });
}
