import { invalid } from "@registry/domain";
import type { Scalar, Sort, SortOrder, Value } from "../port.ts";
import { encodeKey, keyTuples } from "./keys.ts";
import { parseKeyPath } from "./paths.ts";
import type { Missing, PlainObject } from "./values.ts";

export interface SortKey {
  readonly path: string;
  readonly parts: readonly string[];
  readonly order: SortOrder;
}

const maxKeys = 32;

/** @throws RegistryError `INVALID_SORT`, `INVALID_DOCUMENT_KEY` */
export function parseSort(sort: Sort, where = "the sort"): readonly SortKey[] {
  const keys = sort.map(([path, order]) => {
    if (order !== 1 && order !== -1) throw invalid("INVALID_SORT", `an order in ${where} must be 1 or -1`);
    return { path, order, parts: parseKeyPath(path, where) };
  });
  const distinct = new Set(keys.map((key) => key.path)).size === keys.length;
  if (!distinct || keys.length > maxKeys) {
    throw invalid("INVALID_SORT", `${where} names a path twice, or more than ${maxKeys} paths`);
  }
  return keys;
}

/** By code point, which is the order of the UTF-8 bytes that stores compare. */
function compareStrings(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    const xSurrogate = x >= 0xd800 && x <= 0xdfff;
    const ySurrogate = y >= 0xd800 && y <= 0xdfff;
    return xSurrogate === ySurrogate ? x - y : xSurrogate ? 1 : -1;
  }
  return a.length - b.length;
}

/** True if MongoDB compares the two at all: both numbers, both strings, both booleans or both dates. */
export function sameType(value: Value | Missing, other: Scalar): boolean {
  if (value instanceof Date || other instanceof Date) return value instanceof Date && other instanceof Date;
  return typeof value === typeof other && typeof value !== "object" && typeof value !== "symbol";
}

/** The order of two scalars of one type. */
export function compareScalars(a: Scalar, b: Scalar): number {
  if (typeof a === "string") return a === b ? 0 : compareStrings(a, b as string);
  const difference = Number(a) - Number(b);
  return difference < 0 ? -1 : difference > 0 ? 1 : 0;
}

/** The order of any two values, types in MongoDB's order. */
export function compareValues(a: Value, b: Value): number {
  return Buffer.compare(encodeKey(a), encodeKey(b));
}

function compareTuples(a: readonly Buffer[], b: readonly Buffer[], sort: readonly SortKey[]): number {
  for (const [i, key] of sort.entries()) {
    const order = Buffer.compare(a[i] as Buffer, b[i] as Buffer);
    if (order !== 0) return order * key.order;
  }
  return 0;
}

/** What a document sorts by: of the key tuples that its arrays give, the one that comes first. */
function sortTuple(document: PlainObject, sort: readonly SortKey[], paths: readonly (readonly string[])[]): Buffer[] {
  const [first, ...others] = keyTuples(document, paths).tuples.map((tuple) => tuple.map(encodeKey));
  return others.reduce((least, tuple) => (compareTuples(tuple, least, sort) < 0 ? tuple : least), first as Buffer[]);
}

/**
 * The items in the order of their documents; those that compare equal keep theirs.
 * @throws RegistryError `PARALLEL_ARRAYS`
 */
export function sortItems<T>(items: readonly T[], documentOf: (item: T) => PlainObject, sort: readonly SortKey[]): T[] {
  const paths = sort.map((key) => key.parts);
  const keyed = items.map((item) => ({ item, tuple: sortTuple(documentOf(item), sort, paths) }));
  keyed.sort((a, b) => compareTuples(a.tuple, b.tuple, sort));
  return keyed.map(({ item }) => item);
}
