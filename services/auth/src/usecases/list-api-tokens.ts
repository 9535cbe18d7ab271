import type { UseCase } from "../parts.ts";
import { toApiTokenMessage } from "../wire.ts";
import { tokenOwner } from "./token-owner.ts";

export const listApiTokens: UseCase<"listApiTokens"> = (parts) => async (request, context) => {
  const user = await tokenOwner(parts, context, request.username);
  // Publish tokens come and go by themselves.
  const own = { userId: user._id, kind: { $ne: "publish" } };
  const tokens = await parts.apiTokens.find(own, { sort: [["createdAt", 1]] });
  return { tokens: tokens.map((token) => toApiTokenMessage(token, user.username)) };
};
