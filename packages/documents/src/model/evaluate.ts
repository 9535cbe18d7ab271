import type { Scalar, Value } from "../port.ts";
import type { Expr, Test } from "./filter.ts";
import { compareScalars, sameType } from "./order.ts";
import { arrayPosition } from "./paths.ts";
import { isPlainObject, type Missing, missing, own, type PlainObject } from "./values.ts";

type Visit = (value: Value | Missing) => boolean;

function intoArray(array: readonly Value[], rest: readonly string[], elements: boolean, visit: Visit): boolean {
  const [next] = rest;
  if (next === undefined) return (elements && array.some(visit)) || visit(array);
  const position = arrayPosition(next);
  for (const [i, element] of array.entries()) {
    if (isPlainObject(element) && anyAt(element, rest, elements, visit)) return true;
    if (i === position && fromElement(element, rest.slice(1), elements, visit)) return true;
  }
  return false;
}

function fromElement(element: Value, rest: readonly string[], elements: boolean, visit: Visit): boolean {
  if (Array.isArray(element)) return intoArray(element, rest, elements, visit);
  if (rest.length === 0) return visit(element);
  return isPlainObject(element) ? anyAt(element, rest, elements, visit) : false;
}

/**
 * True if the visitor accepts one of the values that the path leads to, in MongoDB's sense: through arrays on the
 * way, each element of an array at its end (where `elements`) and then that array itself, `missing` where the path
 * ends in nothing. Array elements that are no objects contribute nothing to a longer path.
 */
function anyAt(document: PlainObject, parts: readonly string[], elements: boolean, visit: Visit): boolean {
  let value: Value | Missing = document;
  for (let i = 0; i < parts.length; i++) {
    if (Array.isArray(value)) return intoArray(value, parts.slice(i), elements, visit);
    if (!isPlainObject(value)) return visit(missing);
    value = own(value, parts[i] as string);
  }
  return Array.isArray(value) ? intoArray(value, [], elements, visit) : visit(value);
}

function equals(value: Value | Missing, expected: Scalar): boolean {
  if (expected === null) return value === null || value === missing;
  return sameType(value, expected) && compareScalars(value as Scalar, expected) === 0;
}

function inOrder(value: Value | Missing, test: Extract<Test, { value: string | number | Date }>): boolean {
  if (!sameType(value, test.value)) return false;
  const order = compareScalars(value as Scalar, test.value);
  switch (test.op) {
    case "gt":
      return order > 0;
    case "gte":
      return order >= 0;
    case "lt":
      return order < 0;
    default:
      return order <= 0;
  }
}

function elementMatches(array: Value | Missing, filter: Expr): boolean {
  if (!Array.isArray(array)) return false;
  return array.some((element) => {
    if (isPlainObject(element)) return matches(filter, element);
    // MongoDB reads a nested array as an object whose fields are its positions.
    return Array.isArray(element) && matches(filter, Object.fromEntries(element.entries()));
  });
}

function holds(document: PlainObject, parts: readonly string[], test: Test): boolean {
  switch (test.op) {
    case "eq":
      return anyAt(document, parts, true, (value) => equals(value, test.value));
    case "ne":
      return !anyAt(document, parts, true, (value) => equals(value, test.value));
    case "in":
      return anyAt(document, parts, true, (value) => test.values.some((expected) => equals(value, expected)));
    case "nin":
      return !anyAt(document, parts, true, (value) => test.values.some((expected) => equals(value, expected)));
    case "exists":
      return anyAt(document, parts, true, (value) => value !== missing) === test.exists;
    case "elemMatch":
      return anyAt(document, parts, false, (value) => elementMatches(value, test.filter));
    default:
      return anyAt(document, parts, true, (value) => inOrder(value, test));
  }
}

/** True if the document fulfils the filter. */
export function matches(expr: Expr, document: PlainObject): boolean {
  switch (expr.kind) {
    case "and":
      return expr.all.every((each) => matches(each, document));
    case "or":
      return expr.any.some((each) => matches(each, document));
    default:
      return holds(document, expr.parts, expr.test);
  }
}
