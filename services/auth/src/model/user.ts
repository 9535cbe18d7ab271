import {
  actions,
  emailPattern,
  invalid,
  isGrant,
  isLongerThan,
  isRole,
  type Membership,
  quote,
  RegistryError,
  type Role,
  usernamePattern,
} from "@registry/domain";
import type { PendingTotp, Totp } from "./totp.ts";

/** Roles that registration may give; administrators are made by administrators only. */
export const registrationRoles = ["user", "publisher"] as const;

/** A membership as it is kept with its user. */
export type HeldMembership = Membership & {
  readonly since: Date;
  /** What of it came with groups of the identity provider, and goes with them; absent where nothing did. */
  readonly byGroups?: {
    /** The membership itself. */
    readonly member: boolean;
    readonly teams: readonly string[];
  };
};

export interface User {
  readonly _id: number;
  /** Lower case. */
  readonly username: string;
  /** As it was typed; absent for users without one. */
  readonly email?: string;
  /** Lower case, what makes it unique. */
  readonly emailKey?: string;
  /** Absent: no password login. */
  readonly passwordHash?: string;
  readonly role: Role;
  readonly grants: readonly string[];
  readonly disabled: boolean;
  readonly createdAt: Date;
  /** The second factor, once a code of it was confirmed. */
  readonly totp?: Totp;
  /** One that was begun and not confirmed yet. */
  readonly totpPending?: PendingTotp;
  /** A whole second; login tokens that were issued before it do not hold. */
  readonly tokensValidFrom?: Date;
  /** Organisation of a service account, which has no password and logs in nowhere; absent for people. */
  readonly serviceAccountOf?: string;
  /** Organisations that the user belongs to. */
  readonly memberships?: readonly HeldMembership[];
  /** Counts the changes of `memberships`: of two at once, the second sees the first. */
  readonly membershipsRevision?: number;
  /** What the identity provider knows the user by; absent for those who are known here alone. */
  readonly identity?: { readonly issuer: string; readonly subject: string };
  /** Role that the user goes back to on leaving the group that makes administrators; absent for everybody else. */
  readonly roleWithoutGroup?: Role;
  /** Hash of the first administrator's token, until that token has its own document. */
  readonly bootstrapTokenHash?: string;
}

export const bootstrapUserId = 1;
export const bootstrapUsername = "admin";
const reservedUsernames: readonly string[] = [bootstrapUsername, "anonymous", "registry", "npm", "mirror"];
const usernameForm = new RegExp(usernamePattern);
const emailForm = new RegExp(emailPattern, "u");
const longestEmail = 254;

/** @returns the name in lower case */
export function parseUsername(text: string): string {
  if (!usernameForm.test(text)) {
    throw invalid(
      "INVALID_USERNAME",
      `the username ${quote(text)} must be 2 to 39 of a-z, 0-9, _, . and -, starting with a letter or digit`,
      "/username",
    );
  }
  return text.toLowerCase();
}

export function isReservedUsername(username: string): boolean {
  return reservedUsernames.includes(username);
}

/** @throws kind `invalid_argument`, reason `RESERVED_USERNAME` */
export function refuseReserved(username: string): void {
  if (!isReservedUsername(username)) return;
  throw invalid("RESERVED_USERNAME", `the username ${quote(username)} is reserved; choose another`, "/username");
}

export function isEmail(text: string): boolean {
  return text.isWellFormed() && !isLongerThan(text, longestEmail) && emailForm.test(text);
}

export function parseEmail(text: string): { readonly email: string; readonly emailKey: string } {
  if (!isEmail(text)) {
    throw invalid("INVALID_EMAIL", `${quote(text)} is not an email address such as name@example.org`, "/email");
  }
  return { email: text, emailKey: text.toLowerCase() };
}

/** @throws kind `invalid_argument`, reason `INVALID_PASSWORD`; never with the password in its message */
export function checkNewPassword(text: string, pointer = "/password"): void {
  const length = Array.from(text.slice(0, 600)).length;
  if (length >= 8 && length <= 256) return;
  throw invalid("INVALID_PASSWORD", "the password must have 8 to 256 characters", pointer);
}

export function parseRole(text: string): Role {
  if (isRole(text)) return text;
  throw invalid("INVALID_ROLE", `the role ${quote(text)} must be admin, publisher or user`, "/role");
}

const maxRights = 64;
/** Rights travel in each internal token, whose length is limited. */
const maxRightsLength = 1200;

/** Grants of a user or scopes of a token, without duplicates. */
export function parseRights(rights: readonly string[], field: "grants" | "scopes"): string[] {
  const distinct = [...new Set(rights)];
  const wrong = distinct.findIndex((right) => !isGrant(right));
  if (wrong >= 0) {
    throw invalid(
      "INVALID_RIGHT",
      `${quote(distinct[wrong] ?? "")} in ${field} must be *, or one of ${actions.join(", ")}, optionally with :name, :@namespace/name or :@namespace/* behind it`,
      `/${field}/${rights.indexOf(distinct[wrong] ?? "")}`,
    );
  }
  if (distinct.length > maxRights || distinct.join(",").length > maxRightsLength) {
    throw invalid(
      "TOO_MANY_RIGHTS",
      `${field} may hold at most ${maxRights} rights of ${maxRightsLength} characters together`,
      `/${field}`,
    );
  }
  return distinct;
}

/** Whether it counts as one who can administer the registry. */
export function isActiveAdmin(user: Pick<User, "role" | "disabled">): boolean {
  return user.role === "admin" && !user.disabled;
}

/** For somebody who is logged in and has to show the password again. */
export const wrongPassword = (): RegistryError =>
  new RegistryError("permission_denied", "WRONG_PASSWORD", "The current password is not right");

/** The answer to a credential whose user is not there (any more). */
export const callerNotFound = (): RegistryError =>
  new RegistryError("unauthenticated", "USER_NOT_FOUND", "User not found");
