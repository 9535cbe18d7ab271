import type { Format, Severity } from "@registry/domain";
import type { Finding } from "../inspection.ts";

const runsPrograms: ReadonlyMap<string, Severity> = new Map([
  ["python-subprocess", "medium"],
  ["js-child-process", "medium"],
]);

/**
 * What belongs to the trade of a format and weighs less in it. The scripts of a skill are run one by one by an agent,
 * which asks its user as for any other command, and most of them exist to call programs.
 */
const usual: { readonly [F in Format]?: ReadonlyMap<string, Severity> } = {
  skill: runsPrograms,
  "agent-plugin": runsPrograms,
};

/** A finding as it weighs in a package of that format. */
export function weighed(finding: Finding, format: Format): Finding {
  const severity = usual[format]?.get(finding.rule);
  return severity === undefined ? finding : { ...finding, severity };
}
