import type { CreateApiTokenRequest } from "@registry/contracts/auth";
import { RegistryError } from "@registry/domain";
import {
  type ApiToken,
  checkReadOnly,
  formatApiToken,
  hashOf,
  hintOf,
  parseExpiry,
  parseTokenName,
  tokenPrefixes,
} from "../model/api-token.ts";
import { parseNetworks } from "../model/networks.ts";
import { parseRights, type User } from "../model/user.ts";
import { tokenNote } from "../notes.ts";
import type { Parts, UseCase } from "../parts.ts";
import { toApiTokenMessage } from "../wire.ts";
import { tokenOwner } from "./token-owner.ts";

const maxTokens = 100;
const secretBytes = 32;

export const createApiToken: UseCase<"createApiToken"> = (parts) => async (request, context) => {
  const now = parts.clock.now();
  const wanted = parseWanted(request, now);
  const user = await tokenOwner(parts, context, request.username);
  await checkRoom(parts, user);
  const kind = user.serviceAccountOf === undefined ? "personal" : "service";
  const secret = formatApiToken(parts.ids.secret(secretBytes), tokenPrefixes[kind]);
  const token: ApiToken = {
    _id: parts.ids.unique(),
    kind,
    hash: hashOf(secret),
    userId: user._id,
    ...wanted,
    createdAt: now,
    hint: hintOf(secret),
  };
  const makerId = context.caller.type === "user" ? context.caller.id : user._id;
  await parts.quotas.forToken(makerId, now, () => parts.apiTokens.insertOne(token));
  context.audit({ target: token._id, organisation: user.serviceAccountOf, after: tokenNote(token, user.username) });
  return { token: toApiTokenMessage(token, user.username), secret };
};

type Wanted = Pick<ApiToken, "name" | "scopes" | "readOnly" | "addresses" | "expiresAt">;

function parseWanted(request: CreateApiTokenRequest, now: Date): Wanted {
  const name = parseTokenName(request.name);
  const scopes = parseRights(request.scopes, "scopes");
  if (request.readOnly) checkReadOnly(scopes);
  const addresses = parseNetworks(request.addresses);
  const expiresAt = parseExpiry(request.expiresInDays, now);
  const expiry = expiresAt === undefined ? {} : { expiresAt };
  return { name, scopes, readOnly: request.readOnly, addresses, ...expiry };
}

/** Publish tokens come and go by themselves. */
async function checkRoom(parts: Parts, user: User): Promise<void> {
  const count = await parts.apiTokens.countDocuments({ userId: user._id, kind: { $ne: "publish" } });
  if (count < maxTokens) return;
  const text = `A user has at most ${maxTokens} API tokens; revoke one first`;
  throw new RegistryError("conflict", "TOO_MANY_TOKENS", text);
}
