import { checksFailed, isNearMiss, judge } from "@registry/domain";
import { isOwn, maySee } from "../model/access.ts";
import { nearMissRule } from "../model/checks.ts";
import type { Parts } from "../parts.ts";
import type { Candidate } from "./candidate.ts";

/** Bounds the walk over what is much used. */
const mostCompared = 2000;

/**
 * The candidate as it is judged under a new name: one that is easily taken for a much-used plugin of somebody else brings
 * a finding for it.
 * @throws `rejected` CHECKS_FAILED where the policy refuses that
 */
export function judgeNewName(parts: Pick<Parts, "config" | "policy" | "directory">, candidate: Candidate): Candidate {
  const { publisher, name, verdict } = candidate;
  const used = parts.directory.mostDownloaded(parts.config.POLICY_POPULAR_DOWNLOADS, mostCompared);
  // Only with what the publisher sees anyway: else trying names would tell which are there.
  const taken = used.find(
    ({ document }) => !isOwn(publisher, document) && isNearMiss(name, document._id) && maySee(publisher, document),
  );
  if (taken === undefined) return candidate;
  // Everybody reads the finding once the release is out.
  const other = taken.isPublic ? `the much-used "${taken.document._id}"` : "a much-used one";
  const finding = {
    rule: nearMissRule,
    severity: "high",
    message: `The name is easily taken for ${other}`,
    file: "",
    line: 0,
    pointer: "/name",
  };
  const judged = judge([...verdict.findings, finding], parts.policy);
  if (judged.outcome === "refuse") throw checksFailed(judged.findings);
  const content = { ...candidate.package.content, findings: judged.findings };
  return { ...candidate, verdict: judged, package: { ...candidate.package, content } };
}
