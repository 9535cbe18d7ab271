import type { Check, Deprecation, Release, Review } from "@registry/contracts/catalog";
import { checkWord, orNull, reviewWord, timeText } from "./words.ts";

type Json = Readonly<Record<string, unknown>>;

/** Why something should no longer be used, or null. */
export function deprecationFields(deprecation: Deprecation | undefined): Json | null {
  if (deprecation === undefined) return null;
  return { message: deprecation.message, successor: orNull(deprecation.successor) };
}

/** What the checks noticed; there in the full view of a release only. */
export function findingsOf({ findings }: Release): Json[] {
  return findings.map(({ rule, severity, message, file, line, pointer, action }) => ({
    rule,
    severity,
    message,
    file: orNull(file),
    line: line === 0 ? null : line,
    pointer: orNull(pointer),
    action: orNull(action),
  }));
}

/** The checks that a release went through, without their logs, which may be long. */
export function checksOf({ checks }: Release): Json[] {
  return checks.map(checkFields);
}

export function checksWithLogs({ checks }: Release): Json[] {
  return checks.map((check) => ({ ...checkFields(check), log: orNull(check.log) }));
}

function checkFields({ name, result, summary, finishedAt }: Check): Json {
  return { name, result: checkWord(result), summary: orNull(summary), finished_at: timeText(finishedAt) };
}

/** What a person said, or is to say; null where nobody was asked. */
export function reviewFields(review: Review | undefined): Json | null {
  if (review === undefined) return null;
  return {
    state: reviewWord(review.state),
    reasons: review.reasons,
    requested_at: timeText(review.requestedAt),
    reviewed_by: orNull(review.reviewedBy),
    reason: orNull(review.reason),
    reviewed_at: timeText(review.reviewedAt),
  };
}
