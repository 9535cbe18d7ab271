import type { ArchiveLimits } from "@registry/archive";
import type { Policy } from "@registry/domain";
import { type Environment, inspectSettings, readEnvironment, type SettingProblem, settingsError } from "@registry/kit";
import { policyOf, policySettings } from "@registry/service-catalog/config";
import { archiveLimits, storageSettings } from "@registry/service-storage/config";
import { unknownRules } from "../policy-rules.ts";
import { allSettings } from "../settings.ts";

/** What a registry holds packages against. */
export interface PackageRules {
  readonly limits: ArchiveLimits;
  readonly policy: Policy;
  /** Packages' own tests are run before anybody sees them. */
  readonly runsTests: boolean;
}

const ours = /^(?:LIMIT|POLICY|PLUGIN_TESTS$)_?/;
const relevant: ReadonlySet<string> = new Set(
  [...Object.keys(storageSettings), ...Object.keys(policySettings)].filter((name) => ours.test(name)),
);

/**
 * Reads the limits and the policy as `serve` does, from the environment and the settings file. Whatever else stands
 * there is not looked at: a settings file in a plugin's folder may well be the plugin's own.
 * @throws kind `invalid_argument`, reason `INVALID_SETTINGS`, with everything that is wrong
 */
export function readPackageRules(settingsFile: string): PackageRules {
  const { settings, problems } = inspectSettings(allSettings, environmentOf(settingsFile));
  const bad = [...problems.filter(isRelevant), ...unknownRules(settings)];
  if (bad.length > 0) throw settingsError(bad);
  return {
    limits: archiveLimits(settings),
    policy: policyOf(settings),
    runsTests: settings.PLUGIN_TESTS === "sandbox",
  };
}

function isRelevant({ pointer }: SettingProblem): boolean {
  return relevant.has(pointer) || (ours.test(pointer) && !Object.hasOwn(allSettings, pointer));
}

function environmentOf(settingsFile: string): Environment {
  try {
    // None of what these settings say is a secret, so no other file is opened.
    return readEnvironment(settingsFile, {});
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (typeof code !== "string") throw error;
    throw settingsError([{ pointer: "--env", reason: `${settingsFile} cannot be read (${code})` }]);
  }
}
