import { sign, verify } from "node:crypto";
import { type Caller, isOrgRole, isRole, type Membership, type OrgRole } from "@registry/domain";
import type { Keys } from "./keys.ts";

/** What an internal token says. Times are whole seconds since 1970. */
export interface InternalClaims {
  readonly iss: "agenticraft-registry";
  readonly exp: number;
  /** For services. */
  readonly svc?: string;
  /** For users, all of these. */
  readonly user_id?: number;
  readonly username?: string;
  readonly role?: string;
  readonly grants?: readonly string[];
  readonly scopes?: readonly string[];
  /** Organisations: name, role, and the role of each team that the user is in. */
  readonly orgs?: readonly (readonly [org: string, role: string, teams: { readonly [team: string]: string }])[];
  /** Of the credential that was exchanged, for the audit log. */
  readonly tok?: string;
  /** The revocation epoch in which it was made. */
  readonly epoch?: number;
}

export const internalTokenSeconds = 60;

const header = Buffer.from(JSON.stringify({ alg: "EdDSA", typ: "registry-internal+jwt" })).toString("base64url");

/** Signs claims as a compact JWS, EdDSA. */
export function signInternalToken(keys: Keys, claims: InternalClaims): string {
  const signed = `${header}.${Buffer.from(JSON.stringify(claims)).toString("base64url")}`;
  return `${signed}.${sign(null, Buffer.from(signed), keys.signing).toString("base64url")}`;
}

/** Internal tokens have one fixed header, so no other algorithm or key can be talked into. */
export function looksInternal(token: string): boolean {
  return token.startsWith(`${header}.`);
}

/** @returns undefined where the token does not hold, for whatever reason */
export function verifyInternalToken(keys: Keys, token: string, now: Date): InternalClaims | undefined {
  const [head, body, signature, ...rest] = token.split(".");
  if (head !== header || body === undefined || signature === undefined || rest.length > 0) return undefined;
  const signed = Buffer.from(`${head}.${body}`);
  if (!verify(null, signed, keys.verifying, Buffer.from(signature, "base64url"))) return undefined;
  const claims = JSON.parse(Buffer.from(body, "base64url").toString()) as InternalClaims;
  return claims.exp * 1000 > now.getTime() ? claims : undefined;
}

export function callerOf(claims: InternalClaims): Caller | undefined {
  if (claims.svc !== undefined) return { type: "service", name: claims.svc };
  const { user_id: id, username, role, grants, scopes, orgs, tok: tokenId } = claims;
  if (id === undefined || username === undefined || role === undefined || !isRole(role)) return undefined;
  const memberships = orgs?.flatMap(membershipOf) ?? [];
  return { type: "user", id, username, role, grants: grants ?? [], scopes, memberships, tokenId };
}

/** A role that this process does not know, of a newer auth, counts for nothing. */
function membershipOf([org, role, teams]: NonNullable<InternalClaims["orgs"]>[number]): Membership[] {
  if (!isOrgRole(role)) return [];
  const known = Object.entries(teams).filter((team): team is [string, OrgRole] => isOrgRole(team[1]));
  return [{ org, role, teams: Object.fromEntries(known) }];
}

export function orgClaims(memberships: readonly Membership[]): NonNullable<InternalClaims["orgs"]> {
  return memberships.map(({ org, role, teams }) => [org, role, teams] as const);
}
