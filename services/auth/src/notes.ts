import type { ApiToken } from "./model/api-token.ts";
import type { User } from "./model/user.ts";

/** What the audit log keeps of a user. */
export function userNote({ role, grants, disabled, email }: User): object {
  return { role, grants: [...grants], disabled, ...(email === undefined ? {} : { email }) };
}

/** What the audit log keeps of an API token. */
export function tokenNote(token: ApiToken, username: string): object {
  return {
    name: token.name,
    username,
    kind: token.kind ?? "personal",
    scopes: [...token.scopes],
    read_only: token.readOnly ?? false,
    addresses: [...(token.addresses ?? [])],
    ...(token.expiresAt === undefined ? {} : { expires_at: token.expiresAt.toISOString() }),
  };
}
