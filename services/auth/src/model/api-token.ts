import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { invalid } from "@registry/domain";

export interface ApiToken {
  readonly _id: string;
  /** SHA-256 of the secret, hex; the secret itself is kept nowhere. */
  readonly hash: string;
  readonly userId: number;
  readonly name: string;
  /** Empty: all rights of the user. */
  readonly scopes: readonly string[];
  readonly createdAt: Date;
  readonly expiresAt?: Date;
  readonly lastUsedAt?: Date;
  /** First characters of the secret. */
  readonly hint: string;
  /** `publish`: of trusted publishing, made for a workflow; absent for tokens that users made. */
  readonly kind?: "publish";
  /** Trusted publisher that it was made for. */
  readonly publisherId?: string;
}

/** `acr_` of tokens that users make, `acp_` of those that trusted publishing makes. */
export type TokenPrefix = "acr_" | "acp_";
const checksumLength = 6;
const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const hintLength = 8;

/** 62^6 is more than 2^32, so every checksum fits. */
function checksum(text: string): string {
  let rest = crc32(text);
  let digits = "";
  for (let i = 0; i < checksumLength; i++) {
    digits = base62.charAt(rest % 62) + digits;
    rest = Math.floor(rest / 62);
  }
  return digits;
}

/**
 * The form in which a token is shown, once: its prefix, the random part, six characters of CRC-32 in base 62, by which
 * scanners for leaked secrets tell a real token from a look-alike.
 * @param random 43 characters of base64url, 256 bits
 */
export function formatApiToken(random: string, prefix: TokenPrefix = "acr_"): string {
  return `${prefix}${random}${checksum(prefix + random)}`;
}

/** False for what has a prefix but can never have been given out, so that it costs no look-up. */
export function isPlausible(secret: string): boolean {
  if (!/^ac[rp]_/.test(secret)) return true;
  const match = /^(ac[rp]_[\w-]{43})([0-9A-Za-z]{6})$/.exec(secret);
  return match !== null && checksum(match[1] ?? "") === match[2];
}

export function hashOf(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}

export function hintOf(secret: string): string {
  return secret.slice(0, hintLength);
}

export function parseTokenName(text: string): string {
  const name = text.trim();
  if (name.length < 1 || name.length > 64 || /\p{C}/u.test(name)) {
    throw invalid(
      "INVALID_TOKEN_NAME",
      "the name must have 1 to 64 characters, none of them control characters",
      "/name",
    );
  }
  return name;
}

/** @returns when it ends, undefined for never */
export function parseExpiry(days: number, now: Date): Date | undefined {
  if (days === 0) return undefined;
  if (days >= 1 && days <= 3650) return new Date(now.getTime() + days * 86_400_000);
  throw invalid("INVALID_EXPIRY", "expires_in_days must be 1 to 3650, or 0 for never", "/expires_in_days");
}
