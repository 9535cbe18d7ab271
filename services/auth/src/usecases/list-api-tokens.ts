import type { UseCase } from "../parts.ts";
import { toApiTokenMessage } from "../wire.ts";
import { callerUser } from "./caller-user.ts";

export const listApiTokens: UseCase<"listApiTokens"> = (parts) => async (_request, context) => {
  const user = await callerUser(parts, context);
  const tokens = await parts.apiTokens.find(
    { userId: user._id, kind: { $ne: "publish" } },
    { sort: [["createdAt", 1]] },
  );
  return { tokens: tokens.map(toApiTokenMessage) };
};
