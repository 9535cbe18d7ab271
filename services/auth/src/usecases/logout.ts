import { unauthenticated } from "@registry/domain";
import type { Parts, UseCase } from "../parts.ts";
import { findApiToken, isSigned } from "./verify-credential.ts";

export const logout: UseCase<"logout"> = (parts) => async (request) => {
  const revoke = isSigned(request.token) ? await signed(parts, request.token) : await api(parts, request.token);
  await parts.withdraw(revoke);
  return {};
};

/** One that is revoked already is revoked again, so that the same request twice has one answer. */
async function signed(parts: Parts, text: string): Promise<() => Promise<unknown>> {
  const token = await parts.callerTokens.verify(text, parts.clock.now());
  if (token === undefined) throw unauthenticated();
  return () => parts.revoked.add(token.key, token.expiresAt);
}

async function api(parts: Parts, secret: string): Promise<() => Promise<unknown>> {
  const token = await findApiToken(parts, secret);
  if (token === undefined) throw unauthenticated();
  return () => parts.apiTokens.deleteOne({ _id: token._id });
}
