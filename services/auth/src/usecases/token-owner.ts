import { invalid, isAdmin, notFound, permissionDenied, quote } from "@registry/domain";
import type { CallContext } from "@registry/kit";
import type { User } from "../model/user.ts";
import { membershipIn } from "../organisations/model/memberships.ts";
import type { Parts } from "../parts.ts";
import { callerUser } from "./caller-user.ts";

/**
 * Whether the caller has a say over this service account: owners of its organisation do, and administrators.
 * @param self the caller as stored now
 */
export function managesAccount({ caller }: CallContext, self: User, account: User): boolean {
  if (account.serviceAccountOf === undefined) return false;
  return isAdmin(caller) || membershipIn(self, account.serviceAccountOf)?.role === "owner";
}

/**
 * Whose tokens a call is about.
 * @param username a service account that the caller manages; empty for the caller
 * @throws kinds `not_found` (`USER_NOT_FOUND`), `permission_denied`, `invalid_argument` (`NOT_A_SERVICE_ACCOUNT`)
 */
export async function tokenOwner(parts: Parts, context: CallContext, username: string): Promise<User> {
  const self = await callerUser(parts, context);
  const name = username.toLowerCase();
  if (name === "" || name === self.username) return self;
  const account = await parts.users.findOne({ username: name });
  if (account !== null && managesAccount(context, self, account)) return account;
  if (account !== null && isAdmin(context.caller)) {
    const text = `username: ${quote(account.username)} is a person, who makes tokens of their own; name a service account`;
    throw invalid("NOT_A_SERVICE_ACCOUNT", text, "/username");
  }
  const org = account?.serviceAccountOf;
  const isColleague = org !== undefined && membershipIn(self, org) !== undefined;
  throw isColleague ? permissionDenied() : notFound("USER_NOT_FOUND", "User not found");
}
