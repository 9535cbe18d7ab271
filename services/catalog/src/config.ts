import { defaultPolicy, type Policy, type PolicyAction, policyActions, type Severity } from "@registry/domain";
import { type SettingGroup, type SettingsOf, setting } from "@registry/kit";

const actions = policyActions.join("|");

const policySetting = (severity: Severity, examples: string) =>
  setting.oneOf(policyActions, {
    description: `What to do about ${severity} findings (${examples}): ${policyActions.join(", ")}`,
    fallback: defaultPolicy.bySeverity[severity],
  });

/** What becomes of a package because of what its checks found. */
export const policySettings = {
  POLICY_CRITICAL: policySetting("critical", "dangerous calls, secrets, hidden text"),
  POLICY_HIGH: policySetting("high", "instructions against the user, code that could not be read"),
  POLICY_MEDIUM: policySetting("medium", "install scripts, ignored fields"),
  POLICY_LOW: policySetting("low", "small flaws"),
  POLICY_INFO: policySetting("info", "remarks"),
  POLICY_RULES: setting.text({
    description:
      "Rules that are treated otherwise than their severity, e.g. js-child-process=warn,npm-install-script=hold",
    fallback: "",
    shownDefault: "none",
    pattern: new RegExp(`^(?:[a-z0-9-]{1,64}=(?:${actions})(?:, ?(?=[a-z])|$))*$`),
    expects: `rule=action pairs with commas between them; actions are ${policyActions.join(", ")}`,
  }),
} satisfies SettingGroup;

/** The policy that the settings describe. */
export function policyOf(config: SettingsOf<typeof policySettings>): Policy {
  const pairs = config.POLICY_RULES.split(/, ?/).filter((pair) => pair !== "");
  return {
    bySeverity: {
      critical: config.POLICY_CRITICAL,
      high: config.POLICY_HIGH,
      medium: config.POLICY_MEDIUM,
      low: config.POLICY_LOW,
      info: config.POLICY_INFO,
    },
    byRule: new Map(pairs.map((pair) => pair.split("=") as [string, PolicyAction])),
  };
}

export const catalogSettings = {
  ...policySettings,
  POLICY_POPULAR_DOWNLOADS: setting.integer({
    description:
      "Downloads from which a plugin is much used: new names close to its own wait for a reviewer; 0 for none",
    fallback: 50,
    min: 0,
    max: 1_000_000_000,
  }),
  CATALOG_SWEEP_SECONDS: setting.integer({
    description: "Seconds between two looks for publishes that a crash left half done",
    fallback: 30,
    min: 1,
    max: 3600,
  }),
  CATALOG_STAGED_SECONDS: setting.integer({
    description: "Age in seconds at which an unfinished publish is given up",
    fallback: 600,
    min: 60,
    max: 86_400,
  }),
  CATALOG_CACHE_SIZE: setting.bytes({
    description: "Memory for releases that were read lately",
    fallback: 64 * 1024 ** 2,
    shownDefault: "64 MiB",
  }),
  RATE_LIMIT_PUBLISHES: setting.integer({
    description:
      "Publishes per hour and user, dry runs and the same bytes again included, exact over all replicas; 0 for no limit",
    fallback: 1200,
    min: 0,
    max: 10_000_000,
  }),
  LIMIT_RELEASES: setting.integer({
    description: "Most releases of one plugin, deleted ones included",
    fallback: 5000,
    min: 1,
    max: 50_000,
  }),
  LIMIT_CHANNELS: setting.integer({
    description: "Most channels of one plugin",
    fallback: 50,
    min: 1,
    max: 500,
  }),
} satisfies SettingGroup;
