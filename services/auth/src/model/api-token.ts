import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { invalid, isLongerThan, isPlainLine, quote } from "@registry/domain";

/** What begins a token's text, by what it is for: a closed list, which scanners for leaked secrets know. */
export const tokenPrefixes = {
  /** Of a person, or of the first administrator. */
  personal: "acr_",
  /** Of a service account. */
  service: "acs_",
  /** Of a workflow that publishes one plugin: lives for minutes. */
  publish: "acp_",
} as const;
export type TokenKind = keyof typeof tokenPrefixes;
export type TokenPrefix = (typeof tokenPrefixes)[TokenKind];

export interface ApiToken {
  readonly _id: string;
  /** Absent in tokens from before there were others: personal. */
  readonly kind?: TokenKind;
  /** SHA-256 of the secret, hex; the secret itself is kept nowhere. */
  readonly hash: string;
  readonly userId: number;
  readonly name: string;
  /** Empty: all rights of the user. */
  readonly scopes: readonly string[];
  /** True: of those, the rights to read and download alone. */
  readonly readOnly?: boolean;
  /** Networks that it holds from; absent or empty: from anywhere. */
  readonly addresses?: readonly string[];
  readonly createdAt: Date;
  readonly expiresAt?: Date;
  readonly lastUsedAt?: Date;
  /** First characters of the secret. */
  readonly hint: string;
  /** Trusted publisher that it was made for. */
  readonly publisherId?: string;
}

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
export function formatApiToken(random: string, prefix: TokenPrefix): string {
  return `${prefix}${random}${checksum(prefix + random)}`;
}

const prefixes = Object.values(tokenPrefixes);
const tokenPattern = new RegExp(`^((?:${prefixes.join("|")})[\\w-]{43})([0-9A-Za-z]{${checksumLength}})$`);

/** False for what has one of the prefixes but can never have been given out, so that it costs no look-up. */
export function isPlausible(secret: string): boolean {
  if (!prefixes.some((prefix) => secret.startsWith(prefix))) return true;
  const match = tokenPattern.exec(secret);
  return match !== null && checksum(match[1] ?? "") === match[2];
}

const readingScopes: readonly string[] = ["read", "download"];

/** The rights that a token carries. @returns undefined for all rights of its user */
export function scopesOf({ scopes, readOnly }: Pick<ApiToken, "scopes" | "readOnly">): readonly string[] | undefined {
  if (scopes.length > 0) return scopes;
  return readOnly === true ? readingScopes : undefined;
}

/** @throws kind `invalid_argument`, reason `INVALID_RIGHT`, where one of the scopes does more than read */
export function checkReadOnly(scopes: readonly string[]): void {
  const wrong = scopes.findIndex((scope) => !readingScopes.includes(scope.split(":", 1)[0] ?? ""));
  if (wrong < 0) return;
  const text = `scopes: ${quote(scopes[wrong] ?? "")} does more than read; leave it out, or read_only`;
  throw invalid("INVALID_RIGHT", text, `/scopes/${wrong}`);
}

export function hashOf(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}

export function hintOf(secret: string): string {
  return secret.slice(0, hintLength);
}

export function parseTokenName(text: string): string {
  const name = text.trim();
  if (name === "" || isLongerThan(name, 64) || !isPlainLine(name)) {
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
