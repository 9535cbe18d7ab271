import { createHash } from "node:crypto";
import type { ReportedSecret } from "@registry/contracts/auth";
import { invalid, isLongerThan } from "@registry/domain";
import type { Parts, UseCase } from "../parts.ts";
import { findRevocation, type Revocation } from "./find-revocation.ts";

const maxSecrets = 100;
const maxToken = 4096;
const maxUrl = 2000;

/** Ends whatever still holds. Nothing that was reported is answered or kept but as a hash. */
export const reportSecrets: UseCase<"reportSecrets"> = (parts) => async (request, context) => {
  await parts.quotas.demand("report", context.address);
  checkReport(request.secrets);
  const found = await findHeld(parts, request.secrets);
  const revocations = [...found.values()];
  if (revocations.length > 0) {
    await parts.withdraw(() => Promise.all(revocations.map((revocation) => revocation.revoke())));
  }
  context.audit(noteOf(request.secrets, found));
  return {
    results: request.secrets.map(({ token }) => ({ tokenSha256: sha256(token), revoked: found.has(token) })),
  };
};

/** By token; one that is reported twice is in here once. */
async function findHeld(parts: Parts, secrets: readonly ReportedSecret[]): Promise<Map<string, Revocation>> {
  const found = new Map<string, Revocation>();
  for (const token of new Set(secrets.map((secret) => secret.token))) {
    const revocation = await findRevocation(parts, token);
    if (revocation !== undefined && !(await revocation.isRevoked())) found.set(token, revocation);
  }
  return found;
}

function checkReport(secrets: readonly ReportedSecret[]): void {
  if (secrets.length === 0 || secrets.length > maxSecrets) {
    throw invalid("INVALID_REPORT", `secrets: give 1 to ${maxSecrets} of them`, "/secrets");
  }
  for (const [index, { token, url }] of secrets.entries()) {
    if (token === "" || isLongerThan(token, maxToken)) {
      throw invalid("INVALID_REPORT", `token: expected 1 to ${maxToken} characters`, `/secrets/${index}/token`);
    }
    if (isLongerThan(url, maxUrl)) {
      throw invalid("INVALID_REPORT", `url: expected at most ${maxUrl} characters`, `/secrets/${index}/url`);
    }
  }
}

function noteOf(secrets: readonly ReportedSecret[], found: ReadonlyMap<string, Revocation>) {
  const tokens = [...found.values()].map(({ tokenId }) => tokenId);
  const [only] = tokens;
  if (only === undefined) return { unchanged: true };
  const held = secrets.filter(({ token }) => found.has(token));
  const places = [...new Set(held.flatMap(({ url }) => placeOf(url, [...found.keys()])))];
  return {
    target: tokens.length === 1 ? only : `${tokens.length} tokens`,
    after: { revoked: tokens, found_at: places },
  };
}

/** Where it was found, without what may be a secret there: queries, user names, and a token in the path. */
function placeOf(url: string, tokens: readonly string[]): string[] {
  if (!URL.canParse(url)) return [];
  const { origin, pathname } = new URL(url);
  return [tokens.some((token) => pathname.includes(token)) ? origin : origin + pathname];
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
