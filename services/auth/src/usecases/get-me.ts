import type { UseCase } from "../parts.ts";
import { toUserMessage } from "../wire.ts";
import { callerUser } from "./caller-user.ts";

export const getMe: UseCase<"getMe"> = (parts) => async (_request, context) => ({
  user: toUserMessage(await callerUser(parts, context)),
});
