import { severities } from "@registry/domain";
import type { Finding } from "../inspection.ts";

/**
 * The gravest of many findings, in the order in which they came, but at least one of each rule and severity, even where
 * these alone are more than `most`: what a rule weighs is for the format and the operator's policy to say later.
 */
export function gravest(findings: readonly Finding[], most: number): readonly Finding[] {
  if (findings.length <= most) return findings;
  const sorted = [...findings].sort((a, b) => severities.indexOf(a.severity) - severities.indexOf(b.severity));
  const seen = new Set<string>();
  const firsts: Finding[] = [];
  const others: Finding[] = [];
  for (const finding of sorted) {
    const key = `${finding.rule} ${finding.severity}`;
    (seen.has(key) ? others : firsts).push(finding);
    seen.add(key);
  }
  const kept = new Set([...firsts, ...others.slice(0, Math.max(0, most - firsts.length))]);
  return findings.filter((finding) => kept.has(finding));
}
