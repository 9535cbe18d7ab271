import type { Test } from "../model/filter.ts";
import { encodeKey, typeBounds } from "../model/keys.ts";
import type { Scalar } from "../port.ts";
import type { SqlValue } from "./database.ts";

/** What a test says about one column of index keys. */
export interface Bound {
  /** How well it narrows a search that starts at this column. */
  readonly rank: "equal" | "list" | "range" | "none";
  readonly sql: string;
  readonly args: readonly SqlValue[];
  /** True if the rows that fulfil it are those of the documents that fulfil the test, no more. */
  readonly exact: boolean;
}

const hex = (values: readonly Scalar[]): string =>
  JSON.stringify(values.map((value) => encodeKey(value).toString("hex")));
/** One text for lists of any length, so that statements are reused. */
const listed = (column: string, not: string): string => `${column} ${not}IN (SELECT unhex(value) FROM json_each(?))`;

function rangeBound(test: Extract<Test, { op: "gt" | "gte" | "lt" | "lte" }>, column: string): Bound {
  const { from, to } = typeBounds(test.value);
  const key = encodeKey(test.value);
  const range = (sql: string, args: readonly SqlValue[]): Bound => ({ rank: "range", sql, args, exact: true });
  switch (test.op) {
    case "gt":
      return range(`${column} > ? AND ${column} < ?`, [key, to]);
    case "gte":
      return range(`${column} >= ? AND ${column} < ?`, [key, to]);
    case "lt":
      return range(`${column} >= ? AND ${column} < ?`, [from, key]);
    default:
      return range(`${column} >= ? AND ${column} <= ?`, [from, key]);
  }
}

function listBound(values: readonly Scalar[], column: string, multikey: boolean): Bound {
  const exact = !(multikey && values.includes(null));
  if (values.length === 0) return { rank: "equal", sql: "0", args: [], exact };
  return { rank: "list", sql: listed(column, ""), args: [hex(values)], exact };
}

function negativeBound(test: Test, column: string): Bound | undefined {
  const bound = (sql: string, args: readonly SqlValue[], exact: boolean): Bound => ({ rank: "none", sql, args, exact });
  switch (test.op) {
    case "ne":
      return bound(`${column} <> ?`, [encodeKey(test.value)], true);
    case "nin":
      return bound(listed(column, "NOT "), [hex(test.values)], true);
    case "exists":
      // Null and missing share a key, so absence can be narrowed down to both and presence not at all.
      return test.exists ? undefined : { ...bound(`${column} = ?`, [encodeKey(null)], false), rank: "equal" };
    default:
      return undefined;
  }
}

/**
 * The condition in SQL that a test puts on a column, undefined if it puts none.
 * @param multikey some document has an array there: then a negative says nothing about a single row
 */
export function boundOf(test: Test, column: string, multikey: boolean): Bound | undefined {
  switch (test.op) {
    case "eq":
      return {
        rank: "equal",
        sql: `${column} = ?`,
        args: [encodeKey(test.value)],
        exact: !(multikey && test.value === null),
      };
    case "in":
      return listBound(test.values, column, multikey);
    case "gt":
    case "gte":
    case "lt":
    case "lte":
      return rangeBound(test, column);
    default:
      return multikey ? undefined : negativeBound(test, column);
  }
}
