import { invalid, isLongerThan, isPlainLine, quote } from "@registry/domain";
import type { PinnedClaim } from "./trusted-publisher.ts";

/**
 * Claims by which issuers of workflow tokens name an owner or a project for ever: GitHub (`repository_*`), GitLab
 * (`project_id`, `namespace_id`), Buildkite, Terraform and others (the rest). Who started a workflow (`actor_id`,
 * `user_id`) is not among them: that person starts workflows of strangers, too.
 */
const idClaims: ReadonlySet<string> = new Set([
  "repository_id",
  "repository_owner_id",
  "project_id",
  "namespace_id",
  "workspace_id",
  "organization_id",
  "pipeline_id",
]);
/** Names, which another may own tomorrow; and what they tell: an issuer with these has ids as well. */
const remedies: ReadonlyMap<string, string> = new Map([
  ["repository", "repository_id"],
  ["repository_owner", "repository_owner_id"],
  ["job_workflow_ref", "repository_id"],
  ["workflow_ref", "repository_id"],
  ["project_path", "project_id"],
  ["namespace_path", "namespace_id"],
  ["ci_config_ref_uri", "project_id"],
]);
/** Subjects that are made of names: GitHub's and GitLab's, whatever the host. */
const namedSubject = /^(?:repo|project_path):/;
const namedIssuer = /^https:\/\/(?:[^/]*\.)?(?:githubusercontent\.com|gitlab\.[^/]+)(?:[:/]|$)/;

const most = 10;
const longestValue = 500;
const namePattern = /^[a-z_][a-z0-9_]{0,63}$/;
/** What the registry checks itself, or what is another with each token. */
const notForPinning: ReadonlySet<string> = new Set(["iss", "aud", "azp", "exp", "iat", "nbf", "jti", "nonce"]);

/**
 * The claims of a trusted publisher, sorted by name.
 * @throws kind `invalid_argument`, reasons `INVALID_CLAIMS` and `UNSTABLE_CLAIMS`
 */
export function parsePinnedClaims(claims: Readonly<Record<string, string>>, issuer: string): PinnedClaim[] {
  const pinned = Object.entries(claims).map(([name, value]) => ({ name, value }));
  if (pinned.length < 1 || pinned.length > most) {
    throw invalid("INVALID_CLAIMS", `claims must hold 1 to ${most} claims`, "/claims");
  }
  for (const claim of pinned) checkClaim(claim);
  refuseUnstable(pinned, issuer);
  return pinned.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function checkClaim({ name, value }: PinnedClaim): void {
  if (!namePattern.test(name)) {
    const rule = "must be 1 to 64 of a-z, 0-9 and _, not starting with a digit";
    throw invalid("INVALID_CLAIMS", `claims: the name ${quote(name)} ${rule}`, "/claims");
  }
  if (notForPinning.has(name)) {
    throw invalid("INVALID_CLAIMS", `claims: ${name} is checked anyway; leave it out`, `/claims/${name}`);
  }
  if (value === "" || isLongerThan(value, longestValue) || !isPlainLine(value)) {
    const rule = `must have 1 to ${longestValue} characters, none of them control characters`;
    throw invalid("INVALID_CLAIMS", `claims: the value of ${name} ${rule}`, `/claims/${name}`);
  }
}

function refuseUnstable(pinned: readonly PinnedClaim[], issuer: string): void {
  if (pinned.some(({ name }) => idClaims.has(name))) return;
  const subject = pinned.find(({ name }) => name === "sub");
  const byName = pinned.find(({ name }) => remedies.has(name));
  const saysNames = namedIssuer.test(issuer) || namedSubject.test(subject?.value ?? "");
  if (subject !== undefined && byName === undefined && !saysNames) return;
  const remedy = byName === undefined ? undefined : remedies.get(byName.name);
  const say =
    remedy === undefined
      ? `add one of ${[...idClaims].join(", ")}${saysNames ? "" : ", or sub where the issuer has none of them"}`
      : `add ${remedy}`;
  const message = `claims: names can change hands, so at least one claim must be an id that lasts; ${say}`;
  throw invalid("UNSTABLE_CLAIMS", message, "/claims");
}

/** Whether the token carries every claim with its value; numbers are compared as text, as long as they are exact. */
export function carriesAll(token: Readonly<Record<string, unknown>>, pinned: readonly PinnedClaim[]): boolean {
  if (pinned.length === 0) return false;
  // A subject alone lasts only where the issuer names nothing by an id of its own.
  const bySubject = !pinned.some(({ name }) => idClaims.has(name));
  if (bySubject && (Object.hasOwn(token, "repository_id") || Object.hasOwn(token, "project_id"))) return false;
  return pinned.every(({ name, value }) => Object.hasOwn(token, name) && asText(token[name]) === value);
}

function asText(claim: unknown): string | undefined {
  if (typeof claim === "string") return claim;
  return Number.isSafeInteger(claim) ? String(claim) : undefined;
}
