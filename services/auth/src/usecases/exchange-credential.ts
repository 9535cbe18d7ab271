import { internalTokenSeconds, orgClaims, signInternalToken } from "@registry/kit";
import type { UseCase } from "../parts.ts";
import { verifyCredential } from "./verify-credential.ts";

export const exchangeCredential: UseCase<"exchangeCredential"> = (parts) => async (request) => {
  // Before the user is read: what is withdrawn meanwhile then makes this answer an old one, never a fresh one.
  const epoch = await parts.counters.epoch(parts.clock.now());
  const { user, scopes, expiresAt, tokenId } = await verifyCredential(parts, request.credential);
  const latest = Math.floor(parts.clock.now().getTime() / 1000) + internalTokenSeconds;
  const exp = Math.min(latest, Math.ceil((expiresAt?.getTime() ?? Number.POSITIVE_INFINITY) / 1000));
  const internalToken = signInternalToken(parts.keys, {
    iss: "agenticraft-registry",
    exp,
    user_id: user._id,
    username: user.username,
    role: user.role,
    grants: user.grants,
    ...(scopes === undefined ? {} : { scopes }),
    orgs: orgClaims(user.memberships ?? []),
    tok: tokenId,
    epoch,
  });
  return { internalToken, expiresAt: new Date(exp * 1000) };
};
