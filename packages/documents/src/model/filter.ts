import { invalid, quote, type RegistryError } from "@registry/domain";
import type { Filter, Scalar } from "../port.ts";
import { parsePath } from "./paths.ts";
import { cleanScalar, isPlainObject, type PlainObject } from "./values.ts";

/** A filter after parsing: nothing in it is taken for an operator but what this file put there. */
export type Expr =
  | { readonly kind: "and"; readonly all: readonly Expr[] }
  | { readonly kind: "or"; readonly any: readonly Expr[] }
  | { readonly kind: "test"; readonly path: string; readonly parts: readonly string[]; readonly test: Test };
export type RangeOp = "gt" | "gte" | "lt" | "lte";
export type Test =
  | { readonly op: "eq" | "ne"; readonly value: Scalar }
  | { readonly op: "in" | "nin"; readonly values: readonly Scalar[] }
  | { readonly op: RangeOp; readonly value: string | number | Date }
  | { readonly op: "exists"; readonly exists: boolean }
  | { readonly op: "elemMatch"; readonly filter: Expr };

const maxNesting = 20;

function refuse(message: string): RegistryError {
  return invalid("INVALID_FILTER", message);
}

function scalar(value: unknown, path: string): Scalar {
  const clean = cleanScalar(value, () => `the filter on ${quote(path)}`);
  if (clean !== undefined) return clean;
  if (value === undefined) {
    throw refuse(`the filter on ${quote(path)} is undefined; leave it out to match all, or use null to match none`);
  }
  throw refuse(`the filter on ${quote(path)} must compare with a string, number, boolean, null or date`);
}

function comparable(value: unknown, path: string): string | number | Date {
  const clean = scalar(value, path);
  if (clean === null || typeof clean === "boolean") {
    throw refuse(`the filter on ${quote(path)} can order strings, numbers and dates only`);
  }
  return clean;
}

function list(value: unknown, path: string): readonly Scalar[] {
  if (!Array.isArray(value)) throw refuse(`the filter on ${quote(path)} needs a list`);
  return value.map((element) => scalar(element, path));
}

function parseTest(operator: string, value: unknown, path: string, depth: number): Test {
  switch (operator) {
    case "$eq":
      return { op: "eq", value: scalar(value, path) };
    case "$ne":
      return { op: "ne", value: scalar(value, path) };
    case "$in":
      return { op: "in", values: list(value, path) };
    case "$nin":
      return { op: "nin", values: list(value, path) };
    case "$gt":
    case "$gte":
    case "$lt":
    case "$lte":
      return { op: operator.slice(1) as RangeOp, value: comparable(value, path) };
    case "$exists":
      if (typeof value !== "boolean") throw refuse(`$exists on ${quote(path)} must be true or false`);
      return { op: "exists", exists: value };
    case "$elemMatch":
      if (!isPlainObject(value)) throw refuse(`$elemMatch on ${quote(path)} must be a filter`);
      return { op: "elemMatch", filter: { kind: "and", all: parseFields(value, depth + 1) } };
    default:
      throw refuse(`the filter on ${quote(path)} has the unknown operator or field ${quote(operator)}`);
  }
}

function parseField(path: string, condition: unknown, depth: number): Expr[] {
  const parts = parsePath(path, "the filter");
  const test = (value: Test): Expr => ({ kind: "test", path, parts, test: value });
  if (!isPlainObject(condition)) return [test({ op: "eq", value: scalar(condition, path) })];
  const operators = Object.keys(condition);
  if (operators.length === 0) throw refuse(`the filter on ${quote(path)} is an empty object`);
  return operators.map((operator) => test(parseTest(operator, condition[operator], path, depth)));
}

function parseFields(filter: PlainObject, depth: number): Expr[] {
  if (depth > maxNesting) throw refuse(`the filter is nested over ${maxNesting} levels`);
  return Object.keys(filter).flatMap((path) => parseField(path, filter[path], depth));
}

function branches(operator: string, value: unknown, depth: number): readonly Expr[] {
  if (!Array.isArray(value) || value.length === 0) throw refuse(`${operator} needs a list with at least one filter`);
  return value.map((branch) => parse(branch, depth + 1));
}

function parse(filter: unknown, depth: number): Expr {
  if (!isPlainObject(filter)) throw refuse("a filter must be a plain object");
  if (depth > maxNesting) throw refuse(`the filter is nested over ${maxNesting} levels`);
  const all: Expr[] = [];
  for (const key of Object.keys(filter)) {
    const value = filter[key];
    if (key === "$and") all.push(...branches(key, value, depth));
    else if (key === "$or") all.push({ kind: "or", any: branches(key, value, depth) });
    else all.push(...parseField(key, value, depth));
  }
  return all.length === 1 ? (all[0] as Expr) : { kind: "and", all };
}

/**
 * Reads a filter, refusing whatever is not on the port's list of operators: an object from outside that reached a
 * filter as a value cannot act as an operator.
 * @throws RegistryError `INVALID_FILTER`, `INVALID_DOCUMENT_KEY`, `INVALID_DOCUMENT_VALUE`
 */
export function parseFilter(filter: Filter): Expr {
  return parse(filter, 0);
}

/** The tests that must all hold; disjunctions are left out. */
export function conjuncts(expr: Expr): readonly Expr[] {
  return expr.kind === "and" ? expr.all.flatMap(conjuncts) : [expr];
}
