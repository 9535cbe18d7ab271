import { notFound } from "@registry/domain";
import { parseRedirectUri, parseReturnTo } from "../model/addresses.ts";
import type { FederationParts, UseCase } from "../parts.ts";
import type { SignIn } from "../provider/sign-in.ts";
import { beginAttempt } from "../sealed-attempt.ts";

export const beginSignIn: UseCase<"beginSignIn"> = (parts) => async (request) => {
  const signIn = configuredSignIn(parts);
  const redirectUri = parseRedirectUri(request.redirectUri);
  const { attempt, sealed } = beginAttempt(parts, redirectUri, parseReturnTo(request.returnTo));
  return { authorizationUrl: await signIn.addressFor(attempt), sealedState: sealed };
};

/** @throws kind `not_found`, reason `OIDC_NOT_CONFIGURED` */
export function configuredSignIn(parts: FederationParts): SignIn {
  if (parts.signIn !== undefined) return parts.signIn;
  throw notFound("OIDC_NOT_CONFIGURED", "This registry has no identity provider; log in with a password");
}
