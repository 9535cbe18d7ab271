import type { ApiToken as ApiTokenMessage, User as UserMessage } from "@registry/contracts/auth";
import type { ApiToken } from "./model/api-token.ts";
import type { User } from "./model/user.ts";

export function toUserMessage(user: User): UserMessage {
  return {
    id: user._id,
    username: user.username,
    email: user.email ?? "",
    role: user.role,
    grants: [...user.grants],
    disabled: user.disabled,
    createdAt: user.createdAt,
    serviceAccount: user.serviceAccountOf !== undefined,
    organisation: user.serviceAccountOf ?? "",
    totpEnabled: user.totp !== undefined,
    memberships: (user.memberships ?? []).map(({ org, role, teams }) => ({
      organisation: org,
      role,
      teams: Object.keys(teams).sort(),
    })),
  };
}

/** @param username whose it is */
export function toApiTokenMessage(token: ApiToken, username: string): ApiTokenMessage {
  return {
    id: token._id,
    name: token.name,
    scopes: [...token.scopes],
    createdAt: token.createdAt,
    expiresAt: token.expiresAt,
    lastUsedAt: token.lastUsedAt,
    hint: token.hint,
    addresses: [...(token.addresses ?? [])],
    readOnly: token.readOnly ?? false,
    username,
  };
}
