import type { Action } from "./actions.ts";
import { invalid, quote } from "./errors.ts";

/** What somebody is to an organisation, to a team or to a single plugin; the first may most. */
export const orgRoles = ["owner", "maintainer", "publisher", "reader"] as const;
export type OrgRole = (typeof orgRoles)[number];

export function isOrgRole(text: string): text is OrgRole {
  return (orgRoles as readonly string[]).includes(text);
}

/** @throws kind `invalid_argument`, reason `INVALID_ROLE` */
export function parseOrgRole(text: string, pointer = "/role"): OrgRole {
  if (isOrgRole(text)) return text;
  throw invalid("INVALID_ROLE", `role: ${quote(text)} is none; use ${orgRoles.join(", ")}`, pointer);
}

/** What each role may do with a plugin that it is held on. Whose it is and who sees it is for owners alone. */
export const orgRoleActions: { readonly [role in OrgRole]: readonly Action[] } = {
  owner: ["read", "download", "publish", "update", "delete", "delete_own"],
  maintainer: ["read", "download", "publish", "update", "delete", "delete_own"],
  publisher: ["read", "download", "publish", "update", "delete_own"],
  reader: ["read", "download"],
};

/** A user's place in one organisation. */
export type Membership = {
  /** Name of the organisation, which is its namespace as well. */
  readonly org: string;
  /** On everything that the organisation owns. */
  readonly role: OrgRole;
  /** Teams that the user is in, and the role of each on what is assigned to it. */
  readonly teams: { readonly [team: string]: OrgRole };
};

/** Every role that is held somewhere in the organisation. */
export function rolesIn({ role, teams }: Membership): readonly OrgRole[] {
  return [role, ...Object.values(teams)];
}

/** The one that may more; undefined counts for nothing. */
export function strongerRole(a: OrgRole | undefined, b: OrgRole | undefined): OrgRole | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return orgRoles.indexOf(a) <= orgRoles.indexOf(b) ? a : b;
}

const part = /^[a-z0-9](?:[a-z0-9.-]{0,37}[a-z0-9])?$/;
/** Names that would be taken for something else. */
const reservedOrgs: ReadonlySet<string> = new Set([
  "npm",
  "registry",
  "mirror",
  "admin",
  "anonymous",
  "all",
  "new",
  "me",
]);

/** @throws kind `invalid_argument`, reasons `INVALID_ORGANISATION` and `RESERVED_ORGANISATION` */
export function parseOrgName(text: string, pointer = "/name"): string {
  if (!part.test(text) || text.includes("--") || text.includes("..")) {
    const rule =
      "use 1 to 39 of a-z, 0-9, dot and hyphen, starting and ending with a letter or digit, without -- or ..";
    throw invalid("INVALID_ORGANISATION", `${quote(text)} is no name of an organisation; ${rule}`, pointer);
  }
  if (!reservedOrgs.has(text)) return text;
  throw invalid("RESERVED_ORGANISATION", `${quote(text)} is reserved; choose another name`, pointer);
}

const teamPattern = /^[a-z0-9](?:[a-z0-9-]{0,37}[a-z0-9])?$/;

export function isTeamName(text: string): boolean {
  return teamPattern.test(text);
}

/** @throws kind `invalid_argument`, reason `INVALID_TEAM` */
export function parseTeamName(text: string, pointer = "/name"): string {
  if (isTeamName(text)) return text;
  const rule = "use 1 to 39 of a-z, 0-9 and hyphen, starting and ending with a letter or digit";
  throw invalid("INVALID_TEAM", `${quote(text)} is no name of a team; ${rule}`, pointer);
}
