import type { Fixture } from "./fixture.ts";

/** Every kind of caller that a right can tell apart. */
export const callerKinds = [
  "anonymous",
  /** A token that was revoked. */
  "revoked",
  /** A user who may read. */
  "user",
  /** A publisher who has nothing to do with the organisation. */
  "stranger",
  "reader",
  "publisher",
  "maintainer",
  "owner",
  /** The organisation owner's token with scopes `read` and `download`. */
  "ownersReadToken",
  /** The organisation owner's token with scope `publish:@org/*`. */
  "ownersPublishToken",
  /** Service account of the organisation, publisher there. */
  "bot",
  "admin",
  "adminsReadToken",
] as const;
export type CallerKind = (typeof callerKinds)[number];

export const nobodys: readonly CallerKind[] = ["anonymous", "revoked"];
export const users: readonly CallerKind[] = callerKinds.filter((kind) => !nobodys.includes(kind));
/** Those whose credential carries all of their rights. */
export const unscoped: readonly CallerKind[] = users.filter((kind) => !kind.endsWith("Token"));
/** Those for whom the organisation exists. */
export const members: readonly CallerKind[] = [
  "reader",
  "publisher",
  "maintainer",
  "owner",
  "ownersReadToken",
  "bot",
  "admin",
  "adminsReadToken",
];
export const owners: readonly CallerKind[] = ["owner", "admin"];
export const maintainers: readonly CallerKind[] = ["maintainer", ...owners];
export const publishers: readonly CallerKind[] = ["publisher", "bot", ...maintainers];
export const everybody: readonly CallerKind[] = callerKinds.filter((kind) => kind !== "revoked");

/**
 * What those are told who are not let in:
 * - `hidden`: it does not exist, for whoever may not see it; else that it is not allowed
 * - `closed`: that it is not allowed
 */
export type Refusal = "hidden" | "closed";

/** Who is let in, and how it is asked. */
export interface Row<Request> {
  readonly lets: readonly CallerKind[];
  readonly refusal: Refusal;
  /** A read: anonymous callers are told that it does not exist, not to come with a credential. */
  readonly read?: true;
  /** A success uses up what was asked about, so that the next caller needs another one. */
  readonly spends?: true;
  /** Whom it is about, where that is not the private plugin or the organisation. */
  readonly sees?: readonly CallerKind[];
  /** Where the rules above are not the whole story. */
  readonly expects?: Partial<Record<CallerKind, Expected>>;
  readonly ask: (fixture: Fixture, kind: CallerKind) => Promise<Request> | Request;
}

/** `ok`, or the kind of refusal that is expected. */
export type Expected = "ok" | "unauthenticated" | "denied" | "missing";

/** The same for everybody. */
export function always(outcome: Expected): Pick<Row<unknown>, "lets" | "refusal" | "expects"> {
  return {
    lets: [],
    refusal: "closed",
    expects: Object.fromEntries(callerKinds.map((kind) => [kind, outcome])),
  };
}

export function expectedFor(row: Omit<Row<unknown>, "ask">, kind: CallerKind): Expected {
  const told = row.expects?.[kind];
  if (told !== undefined) return told;
  // A credential that does not hold is refused wherever credentials are looked at.
  if (kind === "revoked") return row.lets.includes("revoked") ? "ok" : "unauthenticated";
  if (row.lets.includes(kind)) return "ok";
  if (kind === "anonymous") return row.read === true && row.refusal === "hidden" ? "missing" : "unauthenticated";
  if (row.refusal === "closed") return "denied";
  return (row.sees ?? members).includes(kind) ? "denied" : "missing";
}
