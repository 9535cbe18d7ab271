import { isEmail } from "../../model/user.ts";

/** What the identity provider says of whoever signed in. */
export interface Person {
  readonly issuer: string;
  /** By this and the issuer alone somebody is known again; names and addresses change hands. */
  readonly subject: string;
  /** As the provider has it; undefined where it says none. */
  readonly name: string | undefined;
  /** Only one that the provider vouches for. */
  readonly email: string | undefined;
  readonly groups: readonly string[];
}

export interface PersonClaims {
  readonly usernameClaim: string;
  readonly groupsClaim: string;
}

const mostGroups = 1000;
const longestGroup = 200;

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" && value.length <= 254 ? value : undefined;
}

function emailOf(claims: Readonly<Record<string, unknown>>): string | undefined {
  const email = claims.email_verified === true ? textOf(claims.email) : undefined;
  return email !== undefined && isEmail(email) ? email : undefined;
}

/** Absent groups are none: a right that is not told any more is gone. */
function groupsOf(value: unknown): string[] {
  const list = typeof value === "string" ? [value] : Array.isArray(value) ? value : [];
  const texts = list.filter((item): item is string => typeof item === "string" && item.length <= longestGroup);
  return [...new Set(texts)].slice(0, mostGroups);
}

/** @param claims verified ones, with a subject */
export function personOf(
  issuer: string,
  subject: string,
  claims: Readonly<Record<string, unknown>>,
  { usernameClaim, groupsClaim }: PersonClaims,
): Person {
  return {
    issuer,
    subject,
    name: textOf(claims[usernameClaim]),
    email: emailOf(claims),
    groups: groupsOf(claims[groupsClaim]),
  };
}

const longestName = 39;

/**
 * A username that keeps the rule: of an address what stands before the @, without accents, with hyphens for what names
 * do not hold. Empty where nothing is left of it.
 */
export function usernameFrom(name: string): string {
  const plain = name
    .replace(/@.*$/s, "")
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[^a-z0-9_.-]+/g, "-")
    .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, "")
    .slice(0, longestName);
  return plain.length < 2 ? "" : plain;
}

/** The name to try after as many that were taken: ann, ann-2, ann-3 … */
export function nthUsername(stem: string, n: number): string {
  const suffix = n === 1 ? "" : `-${n}`;
  return `${stem.slice(0, longestName - suffix.length)}${suffix}`;
}
