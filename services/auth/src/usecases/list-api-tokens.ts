import type { UseCase } from "../parts.ts";
import { toApiTokenMessage } from "../wire.ts";
import { tokenOwner } from "./token-owner.ts";

export const listApiTokens: UseCase<"listApiTokens"> = (parts) => async (request, context) => {
  const user = await tokenOwner(parts, context, request.username);
  const tokens = await parts.apiTokens.find(
    { userId: user._id, kind: { $ne: "publish" } },
    { sort: [["createdAt", 1]] },
  );
  return { tokens: tokens.map((token) => toApiTokenMessage(token, user.username)) };
};
