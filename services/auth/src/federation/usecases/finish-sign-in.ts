import { unauthenticated } from "@registry/domain";
import type { CallContext } from "@registry/kit";
import { countingFailures } from "../../usecases/count-failures.ts";
import { issueLoginToken } from "../../usecases/issue-login-token.ts";
import { toUserMessage } from "../../wire.ts";
import { parseCallback, refuseIfDenied } from "../model/callback.ts";
import { type Person, personOf } from "../model/person.ts";
import type { FederationParts, UseCase } from "../parts.ts";
import { Refused } from "../provider/refused.ts";
import { openAttempt, type SealedAttempt } from "../sealed-attempt.ts";
import { configuredSignIn } from "./begin-sign-in.ts";
import { welcome } from "./welcome.ts";

export const finishSignIn: UseCase<"finishSignIn"> = (parts) => async (request, context) => {
  const { user, returnTo } = await countingFailures(parts, context.address, async () => {
    const attempt = openAttempt(parts, request.sealedState);
    const person = await whoSignedIn(parts, attempt, request.callbackUrl, context);
    return { user: await welcome(parts, person, context), returnTo: attempt.returnTo };
  });
  return { user: toUserMessage(user), ...(await issueLoginToken(parts, user)), returnTo };
};

async function whoSignedIn(
  parts: FederationParts,
  attempt: SealedAttempt,
  callbackUrl: string,
  context: CallContext,
): Promise<Person> {
  const signIn = configuredSignIn(parts);
  const callback = parseCallback(callbackUrl, attempt.redirectUri);
  if (callback.state !== attempt.state || !(await signIn.isNamedBy(callback.issuer))) throw unauthenticated();
  // Before the code is spent: the same callback twice, also at two replicas at once, signs in once.
  if (!(await parts.usedOnce.use("state", attempt.state, attempt.expiresAt))) throw unauthenticated();
  refuseIfDenied(callback);
  const { OIDC_USERNAME_CLAIM: usernameClaim, OIDC_GROUPS_CLAIM: groupsClaim } = parts.config;
  const wanted = [usernameClaim, groupsClaim, "email"];
  try {
    const { subject, claims } = await signIn.redeem(callback.code ?? "", attempt, wanted, context.signal);
    return personOf(signIn.issuer.url, subject, claims, { usernameClaim, groupsClaim });
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    context.log.info({ reason: error.message }, "sign-in refused");
    throw unauthenticated();
  }
}
