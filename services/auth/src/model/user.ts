import { invalid, isGrant, isRole, type Membership, quote, RegistryError, type Role } from "@registry/domain";

/** Roles that registration may give; administrators are made by administrators only. */
export const registrationRoles = ["user", "publisher"] as const;

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
  /** A whole second; login tokens that were issued before it do not hold. */
  readonly tokensValidFrom?: Date;
  /** Organisation of a service account, which has no password and logs in nowhere; absent for people. */
  readonly serviceAccountOf?: string;
  /** Organisations that the user belongs to. */
  readonly memberships?: readonly Membership[];
  /** Hash of the first administrator's token, until that token has its own document. */
  readonly bootstrapTokenHash?: string;
}

export const bootstrapUserId = 1;
export const bootstrapUsername = "admin";
const reservedUsernames: readonly string[] = [bootstrapUsername, "anonymous", "registry"];
const usernamePattern = /^[a-z0-9][a-z0-9_.-]{1,38}$/i;

/** @returns the name in lower case */
export function parseUsername(text: string): string {
  if (!usernamePattern.test(text)) {
    throw invalid(
      "INVALID_USERNAME",
      `the username ${quote(text)} must be 2 to 39 of a-z, 0-9, _, . and -, starting with a letter or digit`,
      "/username",
    );
  }
  return text.toLowerCase();
}

/** @throws kind `invalid_argument`, reason `RESERVED_USERNAME` */
export function refuseReserved(username: string): void {
  if (!reservedUsernames.includes(username)) return;
  throw invalid("RESERVED_USERNAME", `the username ${quote(username)} is reserved; choose another`, "/username");
}

export function parseEmail(text: string): { readonly email: string; readonly emailKey: string } {
  if (text.length > 254 || !/^[^\s@\p{C}]{1,64}@[^\s@\p{C}]{1,255}$/u.test(text)) {
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
      `${quote(distinct[wrong] ?? "")} in ${field} must be *, or read, download, publish, update, delete or delete_own, optionally with :name behind it`,
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

/** The answer to a credential whose user is not there (any more). */
export const callerNotFound = (): RegistryError =>
  new RegistryError("unauthenticated", "USER_NOT_FOUND", "User not found");
