import { isIP } from "node:net";
import type { ExchangeCredentialRequest } from "@registry/contracts/auth";
import { type CallContext, internalTokenSeconds, orgClaims, signInternalToken } from "@registry/kit";
import type { Parts, UseCase } from "../parts.ts";
import { countingFailures } from "./count-failures.ts";
import { type Verified, verifyCredential } from "./verify-credential.ts";

export const exchangeCredential: UseCase<"exchangeCredential"> = (parts) => async (request, context) => {
  // Before the user is read: what is withdrawn meanwhile then makes this answer an old one, never a fresh one.
  const { epoch } = await parts.counters.epoch(parts.clock.now());
  const { user, scopes, expiresAt, tokenId } = await verified(parts, request.credential, addressOf(request, context));
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

/** A service of the registry tells where its caller is; of anybody else the connection's other end counts. */
function addressOf(request: ExchangeCredentialRequest, context: CallContext): string | undefined {
  if (context.via === undefined && context.caller.type !== "service") return context.address;
  return isIP(request.address) === 0 ? undefined : request.address;
}

function verified(parts: Parts, credential: string, address: string | undefined): Promise<Verified> {
  return countingFailures(parts, address, () => verifyCredential(parts, credential, address));
}
