import type { Parts } from "../parts.ts";
import { findApiToken, isSigned, signedTokenId } from "./verify-credential.ts";

/** What ends a credential, and what the audit log calls it. */
export interface Revocation {
  readonly tokenId: string;
  /** Whether that was done before. */
  isRevoked(): Promise<boolean>;
  revoke(): Promise<unknown>;
}

/** @returns undefined where it is no credential of this registry, or has ended by itself */
export async function findRevocation(parts: Parts, credential: string): Promise<Revocation | undefined> {
  if (!isSigned(credential)) {
    const token = await findApiToken(parts, credential);
    if (token === undefined) return undefined;
    const { _id } = token;
    return {
      tokenId: _id,
      isRevoked: async () => false,
      revoke: () => parts.apiTokens.deleteOne({ _id }),
    };
  }
  const token = await parts.callerTokens.verify(credential, parts.clock.now());
  if (token === undefined) return undefined;
  const { key, expiresAt } = token;
  return {
    tokenId: signedTokenId(token),
    isRevoked: () => parts.revoked.has(key),
    revoke: () => parts.revoked.add(key, expiresAt),
  };
}
