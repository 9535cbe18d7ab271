import { RegistryError } from "@registry/domain";
import type { SettingGroup, SettingsOf } from "./setting.ts";

/** Settings by name, as text, from wherever they came. */
export interface Environment {
  readonly values: ReadonlyMap<string, string>;
  /** Names from the settings file: every one of them must be known. */
  readonly fromFile: ReadonlySet<string>;
}

/** Our settings start like this, so a misspelt one in the environment is told instead of ignored. */
const ownPrefixes = [
  "S3_",
  "LIMIT_",
  "RATE_LIMIT_",
  "POLICY_",
  "PLUGIN_TESTS_",
  "MONGODB_",
  "NATS_",
  "OIDC_",
  "GRPC_TLS_",
  "GRPC_CLIENT",
];
/** OpenTelemetry's: set for all programs of a machine, and many of them mean nothing here. */
const standardPrefix = "OTEL_";
/** Set by platforms beside ours (Kubernetes service links), so not ours to judge. */
const foreign = /^[A-Z0-9_]+_(?:SERVICE_HOST|SERVICE_PORT(?:_[A-Z0-9_]+)?|PORT(?:_\d+_[A-Z0-9_]+)?)$/;

function unknownSettings(environment: Environment, group: SettingGroup): string[] {
  const mayBeFile = (name: string): boolean =>
    name.endsWith("_FILE") && group[name.slice(0, -5)]?.confidential === true;
  return [...environment.values.keys()].filter((name) => {
    if (Object.hasOwn(group, name) || mayBeFile(name) || name.startsWith(standardPrefix)) return false;
    return environment.fromFile.has(name) || (ownPrefixes.some((p) => name.startsWith(p)) && !foreign.test(name));
  });
}

export interface SettingProblem {
  /** The setting's name. */
  readonly pointer: string;
  readonly reason: string;
}

export interface SettingsRead<G extends SettingGroup> {
  /** Bad settings stand at their defaults. */
  readonly settings: SettingsOf<G>;
  /** One for each bad or unknown setting. */
  readonly problems: readonly SettingProblem[];
}

/** Reads every setting of the group, and gathers whatever is wrong, so that it can be told together with other problems. */
export function inspectSettings<G extends SettingGroup>(group: G, environment: Environment): SettingsRead<G> {
  const problems: SettingProblem[] = [];
  const result: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries(group)) {
    const value = environment.values.get(name);
    try {
      result[name] = value === undefined || value === "" ? setting.fallback : setting.parse(value);
    } catch (error) {
      result[name] = setting.fallback;
      problems.push({ pointer: name, reason: error instanceof Error ? error.message : "unreadable" });
    }
  }
  for (const name of unknownSettings(environment, group)) {
    problems.push({ pointer: name, reason: "no such setting; see agenticraft-registry serve --help" });
  }
  return { settings: result as SettingsOf<G>, problems };
}

export function settingsError(problems: readonly SettingProblem[]): RegistryError {
  const lines = problems.map((problem) => `  ${problem.pointer}: ${problem.reason}`);
  return new RegistryError("invalid_argument", "INVALID_SETTINGS", `settings:\n${lines.join("\n")}`, {
    fields: problems,
  });
}
