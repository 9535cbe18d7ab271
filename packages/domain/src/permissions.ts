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

/** Actions that grants and token scopes may name. */
export const actions = ["read", "download", "publish", "update", "delete", "delete_own", "review"] as const;
export type Action = (typeof actions)[number];

/** Who calls, as far as a service needs to know. */
export type Caller =
  | { readonly type: "anonymous" }
  | {
      readonly type: "user";
      readonly id: number;
      readonly username: string;
      readonly role: Role;
      /** `action` or `action:resource`. */
      readonly grants: readonly string[];
      /** Rights that the credential carries; undefined means all of its user's. */
      readonly scopes?: readonly string[] | undefined;
    }
  | { readonly type: "service"; readonly name: string };

export const anonymous: Caller = { type: "anonymous" };

const grantPattern = /^(?:\*|(?:read|download|publish|update|delete|delete_own|review)(?::[@a-z0-9/.*-]{1,130})?)$/;

/** True for `*`, `action` or `action:resource`. */
export function isGrant(text: string): boolean {
  return grantPattern.test(text);
}

function covers(rights: readonly string[], action: Action, resource: string | undefined): boolean {
  if (rights.includes("*") || rights.includes(action)) return true;
  return resource !== undefined && rights.includes(`${action}:${resource}`);
}

/**
 * Whether a caller may do an action, on a resource if one is named. Ownership is the caller's affair of the service that
 * knows the owner: `delete_own` is asked for with the resource only once the owner is known to be the caller.
 */
export function may(caller: Caller, action: Action, resource?: string): boolean {
  if (caller.type === "service") return true;
  if (caller.type === "anonymous") return action === "read" || action === "download";
  const byUser = covers([...rolePermissions[caller.role], ...caller.grants], action, resource);
  return byUser && (caller.scopes === undefined || covers(caller.scopes, action, resource));
}

/** Whether a caller may do an action to anything at all, e.g. to start an upload before its name is known. */
export function maySomewhere(caller: Caller, action: Action): boolean {
  if (may(caller, action)) return true;
  if (caller.type !== "user") return false;
  const somewhere = (rights: readonly string[]): boolean =>
    rights.some((right) => right === "*" || right === action || right.startsWith(`${action}:`));
  return (
    somewhere([...rolePermissions[caller.role], ...caller.grants]) &&
    (caller.scopes === undefined || somewhere(caller.scopes))
  );
}

/** Administrators act on everything; a scoped token of theirs only within its scopes. */
export function isAdmin(caller: Caller): boolean {
  return (
    caller.type === "user" && caller.role === "admin" && (caller.scopes === undefined || caller.scopes.includes("*"))
  );
}
