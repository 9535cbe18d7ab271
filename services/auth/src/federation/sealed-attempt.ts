import { unauthenticated } from "@registry/domain";
import type { FederationParts } from "./parts.ts";
import type { Attempt } from "./provider/sign-in.ts";

/** A sign-in under way. */
export interface SealedAttempt extends Attempt {
  readonly returnTo: string;
  readonly expiresAt: Date;
}

const purpose = "oidc-sign-in";
const lifetimeMs = 10 * 60_000;
const longest = 8192;

export function beginAttempt(
  parts: FederationParts,
  redirectUri: string,
  returnTo: string,
): { readonly attempt: SealedAttempt; readonly sealed: string } {
  const attempt: SealedAttempt = {
    state: parts.ids.secret(32),
    nonce: parts.ids.secret(32),
    verifier: parts.ids.secret(32),
    redirectUri,
    returnTo,
    expiresAt: new Date(parts.clock.now().getTime() + lifetimeMs),
  };
  return { attempt, sealed: parts.keys.seal(purpose, Buffer.from(JSON.stringify(attempt))) };
}

/** @throws kind `unauthenticated`, reason `INVALID_CREDENTIAL`, where it is none of ours, or its time is over */
export function openAttempt(parts: FederationParts, sealed: string): SealedAttempt {
  const opened = sealed.length > longest ? undefined : parts.keys.open(purpose, sealed);
  if (opened === undefined) throw unauthenticated();
  // Only what `beginAttempt` wrote opens.
  const read = JSON.parse(Buffer.from(opened).toString()) as Omit<SealedAttempt, "expiresAt"> & {
    readonly expiresAt: string;
  };
  const attempt = { ...read, expiresAt: new Date(read.expiresAt) };
  if (attempt.expiresAt <= parts.clock.now()) throw unauthenticated();
  return attempt;
}
