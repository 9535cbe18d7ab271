import { isAdmin, notFound } from "@registry/domain";
import { tokenNote } from "../notes.ts";
import type { UseCase } from "../parts.ts";
import { callerUser } from "./caller-user.ts";
import { managesAccount } from "./token-owner.ts";

/** One's own, and a managed service account's; administrators revoke anybody's. Others' are as if they were not there. */
export const revokeApiToken: UseCase<"revokeApiToken"> = (parts) => async (request, context) => {
  const self = await callerUser(parts, context);
  const token = await parts.apiTokens.findOne({ _id: request.id });
  const owner = token === null ? null : await parts.users.findOne({ _id: token.userId });
  const isTheirs = owner !== null && (owner._id === self._id || managesAccount(context, self, owner));
  if (token === null || !(isTheirs || isAdmin(context.caller))) throw notFound("TOKEN_NOT_FOUND", "Token not found");
  context.audit({
    target: token._id,
    organisation: owner?.serviceAccountOf,
    before: tokenNote(token, owner?.username ?? ""),
  });
  await parts.withdraw(() => parts.apiTokens.deleteOne({ _id: token._id }));
  return {};
};
