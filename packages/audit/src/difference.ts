import { isDeepStrictEqual } from "node:util";
import type { AuditNote } from "@registry/kit";

type Facts = { readonly [field: string]: unknown };

/** The note of a change from one state to another: what differs, no more; `unchanged` where nothing does. */
export function changeOf(before: Facts, after: Facts): AuditNote {
  const fields = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  const differing = fields.filter((field) => !isDeepStrictEqual(before[field], after[field]));
  const of = (facts: Facts): Facts => Object.fromEntries(differing.map((field) => [field, facts[field]]));
  return { before: of(before), after: of(after), unchanged: differing.length === 0 };
}
