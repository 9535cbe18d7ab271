import { RegistryError } from "@registry/domain";
import { type ApiToken, formatApiToken, hashOf, hintOf, parseExpiry, parseTokenName } from "../model/api-token.ts";
import { parseRights } from "../model/user.ts";
import type { UseCase } from "../parts.ts";
import { toApiTokenMessage } from "../wire.ts";
import { callerUser } from "./caller-user.ts";

const maxTokens = 100;
const secretBytes = 32;

export const createApiToken: UseCase<"createApiToken"> = (parts) => async (request, context) => {
  const now = parts.clock.now();
  const name = parseTokenName(request.name);
  const scopes = parseRights(request.scopes, "scopes");
  const expiresAt = parseExpiry(request.expiresInDays, now);
  const user = await callerUser(parts, context);
  if ((await parts.apiTokens.countDocuments({ userId: user._id, kind: { $ne: "publish" } })) >= maxTokens) {
    const text = `A user has at most ${maxTokens} API tokens; revoke one first`;
    throw new RegistryError("conflict", "TOO_MANY_TOKENS", text);
  }
  const secret = formatApiToken(parts.ids.secret(secretBytes));
  const token: ApiToken = {
    _id: parts.ids.unique(),
    hash: hashOf(secret),
    userId: user._id,
    name,
    scopes,
    createdAt: now,
    ...(expiresAt === undefined ? {} : { expiresAt }),
    hint: hintOf(secret),
  };
  await parts.apiTokens.insertOne(token);
  return { token: toApiTokenMessage(token), secret };
};
