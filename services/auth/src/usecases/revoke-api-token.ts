import { isAdmin, notFound } from "@registry/domain";
import type { UseCase } from "../parts.ts";
import { callerUser } from "./caller-user.ts";

/** One's own; administrators revoke anybody's. Somebody else's is as if it were not there. */
export const revokeApiToken: UseCase<"revokeApiToken"> = (parts) => async (request, context) => {
  const user = await callerUser(parts, context);
  const token = await parts.apiTokens.findOne({ _id: request.id });
  if (token === null || (token.userId !== user._id && !isAdmin(context.caller))) {
    throw notFound("TOKEN_NOT_FOUND", "Token not found");
  }
  await parts.withdraw(() => parts.apiTokens.deleteOne({ _id: token._id }));
  return {};
};
