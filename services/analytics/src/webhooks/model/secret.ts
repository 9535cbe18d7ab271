import { invalid } from "@registry/domain";
import type { Ids, Keys } from "@registry/kit";

const prefix = "whsec_";
const fewest = 24;
const most = 64;
const madeBytes = 32;
const purpose = "webhook-secret";

/** As Standard Webhooks writes a symmetric secret. */
export function formatSecret(bytes: Uint8Array): string {
  return prefix + Buffer.from(bytes).toString("base64");
}

/**
 * The secret that a caller chose, or a new one.
 * @throws `invalid_argument`, reason `INVALID_SECRET`, which does not repeat it
 */
export function secretOf(given: string, ids: Ids): Uint8Array {
  if (given === "") return Buffer.from(ids.secret(madeBytes), "base64url");
  const bytes = Buffer.from(given.slice(prefix.length, prefix.length + 2 * most), "base64");
  if (bytes.length >= fewest && bytes.length <= most && formatSecret(bytes) === given) return bytes;
  const rule = `expected ${prefix} and base64 of ${fewest} to ${most} bytes, or nothing, for one to be made`;
  throw invalid("INVALID_SECRET", `secret: ${rule}`, "/secret");
}

export function sealSecret(keys: Keys, webhook: string, bytes: Uint8Array): string {
  return keys.seal(purpose, bytes, webhook);
}

/** @returns undefined where it was sealed under another key */
export function openSecret(keys: Keys, webhook: string, sealed: string): Uint8Array | undefined {
  return keys.open(purpose, sealed, webhook);
}
