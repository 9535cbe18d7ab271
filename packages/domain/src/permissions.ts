import type { Action } from "./actions.ts";
import { type Membership, type OrgRole, orgRoleActions, rolesIn } from "./membership.ts";

export const roles = ["admin", "publisher", "user"] as const;
export type Role = (typeof roles)[number];

export function isRole(text: string): text is Role {
  return (roles as readonly string[]).includes(text);
}

/** What each role may do. `*` is everything; every role may read and download. */
export const rolePermissions: { readonly [role in Role]: readonly string[] } = {
  admin: ["*"],
  publisher: ["publish", "update", "delete_own", "read", "download"],
  user: ["read", "download"],
};

/** A user as its credential shows it. */
export interface UserCaller {
  readonly type: "user";
  readonly id: number;
  readonly username: string;
  readonly role: Role;
  /** `action` or `action:resource`. */
  readonly grants: readonly string[];
  /** Rights that the credential carries; undefined means all of its user's. */
  readonly scopes?: readonly string[] | undefined;
  /** Organisations that the user belongs to; absent for none. */
  readonly memberships?: readonly Membership[] | undefined;
  /** Of the credential: the id of an API token, or `login` and the id of a signed token. For the audit log. */
  readonly tokenId?: string | undefined;
}

/** Who calls, as far as a service needs to know. */
export type Caller = { readonly type: "anonymous" } | UserCaller | { readonly type: "service"; readonly name: string };

export const anonymous: Caller = { type: "anonymous" };

const grantForm =
  /^(?:\*|(?:read|download|publish|update|delete|delete_own|review)(?::(?:@[a-z0-9.-]{1,64}\/(?:\*|[a-z0-9.-]{1,64})|[a-z0-9.-]{1,64}))?)$/;

/** The same for those who have to be told before they send one. */
export const grantPattern = grantForm.source;

/** True for `*`, `action`, `action:name`, `action:@namespace/name` and `action:@namespace/*`. */
export function isGrant(text: string): boolean {
  return grantForm.test(text);
}

function covers(rights: readonly string[], action: Action, resource: string | undefined): boolean {
  if (rights.includes("*") || rights.includes(action)) return true;
  if (resource === undefined) return false;
  return rights.includes(`${action}:${resource}`) || rights.includes(`${action}:${namespacePattern(resource)}`);
}

/** `@namespace/*`; the name itself where it has no namespace. */
function namespacePattern(resource: string): string {
  const slash = resource.startsWith("@") ? resource.indexOf("/") : -1;
  return slash < 0 ? resource : `${resource.slice(0, slash)}/*`;
}

/** Whether the credential itself lets its user do this; what the user may is another question. */
export function inScope(caller: UserCaller, action: Action, resource?: string): boolean {
  return caller.scopes === undefined || covers(caller.scopes, action, resource);
}

/**
 * Whether a caller may do an action, on a resource if one is named, by registry role and grants. What an organisation or
 * a plugin's owner lets somebody do is added by the service that knows whose the resource is.
 * Ownership is the caller's affair of the service that knows the owner: `delete_own` is asked for with the resource only
 * once the owner is known to be the caller.
 */
export function may(caller: Caller, action: Action, resource?: string): boolean {
  if (caller.type === "service") return true;
  if (caller.type === "anonymous") return action === "read" || action === "download";
  return (
    covers([...rolePermissions[caller.role], ...caller.grants], action, resource) && inScope(caller, action, resource)
  );
}

/** Whether a grant names this very resource, or its namespace. */
export function grantedOn(caller: Caller, action: Action, resource: string): boolean {
  if (caller.type !== "user" || !inScope(caller, action, resource)) return false;
  const pattern = namespacePattern(resource);
  return caller.grants.includes(`${action}:${resource}`) || caller.grants.includes(`${action}:${pattern}`);
}

/** Whether a role held on a resource, in an organisation or by its owner's word, lets the caller do this. */
export function mayBy(caller: Caller, role: OrgRole | undefined, action: Action, resource: string): boolean {
  if (caller.type !== "user" || role === undefined) return false;
  return orgRoleActions[role].includes(action) && inScope(caller, action, resource);
}

/** Whether a caller may do an action to anything at all, e.g. to start an upload before its name is known. */
export function maySomewhere(caller: Caller, action: Action): boolean {
  if (may(caller, action)) return true;
  if (caller.type !== "user") return false;
  const byRole = somewhere([...rolePermissions[caller.role], ...caller.grants], action);
  const byMembership = (caller.memberships ?? []).some((membership) =>
    rolesIn(membership).some((role) => orgRoleActions[role].includes(action)),
  );
  return (byRole || byMembership) && inScopeSomewhere(caller, action);
}

/** Whether the credential itself lets its user do this to anything at all. */
export function inScopeSomewhere(caller: UserCaller, action: Action): boolean {
  return caller.scopes === undefined || somewhere(caller.scopes, action);
}

function somewhere(rights: readonly string[], action: Action): boolean {
  return rights.some((right) => right === "*" || right === action || right.startsWith(`${action}:`));
}

/** A credential with all rights of its user: a login, a token without scopes, or one with scope `*`. */
export function isUnscoped(caller: Caller): caller is UserCaller {
  return caller.type === "user" && (caller.scopes === undefined || caller.scopes.includes("*"));
}

/** Administrators act on everything; a scoped token of theirs only within its scopes. */
export function isAdmin(caller: Caller): boolean {
  return isUnscoped(caller) && caller.role === "admin";
}
