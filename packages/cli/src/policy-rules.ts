import { archiveRules } from "@registry/archive";
import { isNearMiss, quote } from "@registry/domain";
import type { SettingProblem } from "@registry/kit";
import { policyOf } from "@registry/service-catalog/config";
import type { AllSettings } from "./settings.ts";

/** Of findings that the catalog makes itself, since only it knows the other names. */
const catalogRules = ["name-near-miss"] as const;
const all = [...archiveRules, ...catalogRules];

/** A rule that is misspelt would go on as if nothing had been said of it. */
export function unknownRules(settings: AllSettings): SettingProblem[] {
  return [...policyOf(settings).byRule.keys()]
    .filter((rule) => !all.includes(rule))
    .map((rule) => ({ pointer: "POLICY_RULES", reason: `there is no rule ${quote(rule)}; ${remedy(rule)}` }));
}

function remedy(rule: string): string {
  const near = all.find((each) => isNearMiss(rule, each));
  return near === undefined ? `there are: ${all.toSorted().join(", ")}` : `did you mean ${near}?`;
}
