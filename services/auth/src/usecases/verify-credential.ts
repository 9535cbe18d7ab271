import { unauthenticated } from "@registry/domain";
import type { CallerToken } from "../caller-tokens.ts";
import { type ApiToken, hashOf, isPlausible, scopesOf } from "../model/api-token.ts";
import { isWithin } from "../model/networks.ts";
import { callerNotFound, type User } from "../model/user.ts";
import type { Parts } from "../parts.ts";

export interface Verified {
  readonly user: User;
  /** Undefined: all rights of the user. */
  readonly scopes: readonly string[] | undefined;
  readonly expiresAt: Date | undefined;
  /** For the audit log. */
  readonly tokenId: string;
}

const maxCredential = 4096;

/** Signed tokens have dots, API tokens none. */
export function isSigned(credential: string): boolean {
  return credential.includes(".");
}

/**
 * @param address where the caller is, as far as it is known
 * @throws kind `unauthenticated`, reason `INVALID_CREDENTIAL` or `USER_NOT_FOUND`
 */
export async function verifyCredential(
  parts: Parts,
  credential: string,
  address: string | undefined,
): Promise<Verified> {
  if (credential === "" || credential.length > maxCredential) throw unauthenticated();
  return isSigned(credential) ? verifySigned(parts, credential) : verifyApiToken(parts, credential, address);
}

async function verifySigned(parts: Parts, credential: string): Promise<Verified> {
  const token = await parts.callerTokens.verify(credential, parts.clock.now());
  if (token === undefined || (await parts.revoked.has(token.key))) throw unauthenticated();
  const user = await activeUser(parts, token.userId);
  if (user.username !== token.username.toLowerCase() || !isYoungEnough(token, user)) throw unauthenticated();
  return { user, scopes: undefined, expiresAt: token.expiresAt, tokenId: signedTokenId(token) };
}

/** What the audit log calls a signed token. */
export function signedTokenId(token: CallerToken): string {
  return `login:${token.key.slice(0, 16)}`;
}

/** A token that does not tell when it was made cannot show that it is younger than the password. */
function isYoungEnough(token: CallerToken, user: User): boolean {
  if (user.tokensValidFrom === undefined) return true;
  return token.issuedAt !== undefined && token.issuedAt >= user.tokensValidFrom;
}

/** @returns undefined where there is none, or it has ended */
export async function findApiToken(parts: Parts, secret: string): Promise<ApiToken | undefined> {
  if (!isPlausible(secret)) return undefined;
  const token = await parts.apiTokens.findOne({ hash: hashOf(secret) });
  if (token === null) return undefined;
  return token.expiresAt === undefined || token.expiresAt > parts.clock.now() ? token : undefined;
}

async function verifyApiToken(parts: Parts, secret: string, address: string | undefined): Promise<Verified> {
  const token = await findApiToken(parts, secret);
  if (token === undefined || !isWithin(token.addresses ?? [], address)) throw unauthenticated();
  const user = await activeUser(parts, token.userId);
  await noteUse(parts, token);
  return { user, scopes: scopesOf(token), expiresAt: token.expiresAt, tokenId: token._id };
}

async function activeUser(parts: Parts, id: number): Promise<User> {
  const user = await parts.users.findOne({ _id: id });
  if (user === null) throw callerNotFound();
  if (user.disabled) throw unauthenticated();
  return user;
}

const noteUseEveryMs = 60_000;

async function noteUse(parts: Parts, token: ApiToken): Promise<void> {
  const now = parts.clock.now();
  if (token.lastUsedAt !== undefined && now.getTime() - token.lastUsedAt.getTime() < noteUseEveryMs) return;
  // A note for people; a caller must not be sent away because it could not be written.
  await parts.apiTokens
    .updateOne({ _id: token._id }, { $max: { lastUsedAt: now } })
    .catch((error: unknown) => parts.log.warn({ err: error }, "use of an API token not noted"));
}
