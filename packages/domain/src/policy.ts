import { RegistryError } from "./errors.ts";

/** How much a finding matters, gravest first. */
export const severities = ["critical", "high", "medium", "low", "info"] as const;
export type Severity = (typeof severities)[number];

/** What becomes of a package because of a finding, gravest first. */
export const policyActions = ["refuse", "hold", "warn", "ignore"] as const;
export type PolicyAction = (typeof policyActions)[number];

/** What an operator wants done about findings. A rule named by itself wins over its severity. */
export interface Policy {
  readonly bySeverity: { readonly [severity in Severity]: PolicyAction };
  readonly byRule: ReadonlyMap<string, PolicyAction>;
}

export const defaultPolicy: Policy = {
  bySeverity: { critical: "refuse", high: "hold", medium: "warn", low: "warn", info: "warn" },
  byRule: new Map(),
};

/** The part of a finding that a verdict rests on. */
export interface Judged {
  /** Stable kebab-case word. */
  readonly rule: string;
  readonly severity: string;
  readonly message: string;
  /** Path in the package; empty or absent where the finding is about the whole. */
  readonly file?: string | undefined;
  /** From 1; 0 or absent where there is none. */
  readonly line?: number | undefined;
}

export type WithAction<F> = F & { readonly action: PolicyAction };

export interface Verdict<F> {
  readonly outcome: "accept" | "hold" | "refuse";
  /** Every finding that is not ignored, with what the policy makes of it, in the order in which they came. */
  readonly findings: readonly F[];
}

/** These say that a check did not come to a result. What was not checked is never shown unseen, whatever the policy. */
export const inconclusiveRules: ReadonlySet<string> = new Set(["scan-failed", "code-not-scanned", "text-not-scanned"]);

/** A severity that this version does not know is taken for the gravest. */
function actionOn(finding: Judged, policy: Policy): PolicyAction {
  const known = severities.find((severity) => severity === finding.severity) ?? "critical";
  const action = policy.byRule.get(finding.rule) ?? policy.bySeverity[known];
  return inconclusiveRules.has(finding.rule) && action !== "refuse" ? "hold" : action;
}

/** Whether a package with these findings may be published at once, after a reviewer's yes, or not at all. */
export function judge<F extends Judged>(findings: readonly F[], policy: Policy): Verdict<WithAction<F>> {
  const shown = findings
    .map((finding): WithAction<F> => ({ ...finding, action: actionOn(finding, policy) }))
    .filter(({ action }) => action !== "ignore");
  const has = (action: PolicyAction): boolean => shown.some((finding) => finding.action === action);
  return { outcome: has("refuse") ? "refuse" : has("hold") ? "hold" : "accept", findings: shown };
}

const mostTold = 50;

/**
 * The refusal that tells a publisher what to mend: one field for each finding that refuses.
 * Kind `rejected`, reason `CHECKS_FAILED`.
 */
export function checksFailed(findings: readonly WithAction<Judged>[]): RegistryError {
  const refusing = findings.filter(({ action }) => action === "refuse");
  const first = refusing[0];
  const more = refusing.length > 1 ? ` (and ${refusing.length - 1} more, see errors)` : "";
  const message = `The package was refused: ${first === undefined ? "its checks failed" : tell(first)}${more}`;
  return new RegistryError("rejected", "CHECKS_FAILED", message, {
    fields: refusing.slice(0, mostTold).map((finding) => ({
      pointer: `archive:${finding.file ?? ""}`,
      reason: `${finding.rule}: ${tell(finding)}`,
    })),
  });
}

function tell({ message, file, line }: Judged): string {
  const at = file === undefined || file === "" ? "" : ` (${file}${line ? `:${line}` : ""})`;
  return `${message}${at}`;
}
