import { invalid, quote, type RegistryError } from "@registry/domain";
import type { Id, Scalar, Update, Value } from "../port.ts";
import { conjuncts, type Expr, parseFilter } from "./filter.ts";
import { overlap, parsePath } from "./paths.ts";
import { cleanId, cleanScalar, cleanValue, isPlainObject } from "./values.ts";

interface At {
  readonly path: string;
  readonly parts: readonly string[];
}
/** One change to one path of a document. */
export type Step = At &
  (
    | { readonly op: "set"; readonly value: Value }
    | { readonly op: "setOnInsert"; readonly value: Value }
    | { readonly op: "addToSet"; readonly value: Value }
    | { readonly op: "unset" }
    | { readonly op: "inc"; readonly by: number }
    | { readonly op: "max"; readonly value: number | Date }
    | { readonly op: "min"; readonly value: number | Date }
    | { readonly op: "push"; readonly values: readonly Value[] }
    | { readonly op: "pull"; readonly equal: Scalar }
    | { readonly op: "pullMatching"; readonly filter: Expr }
  );

export function refuseUpdate(message: string): RegistryError {
  return invalid("INVALID_UPDATE", message);
}

function bound(value: unknown, path: string): number | Date {
  const clean = cleanScalar(value, () => quote(path));
  if (typeof clean === "number" || clean instanceof Date) return clean;
  throw refuseUpdate(`$max and $min on ${quote(path)} take a number or a date`);
}

function pushed(value: unknown, path: string): readonly Value[] {
  if (isPlainObject(value) && Object.hasOwn(value, "$each")) {
    if (!Array.isArray(value.$each) || Object.keys(value).length > 1) {
      throw refuseUpdate(`$push on ${quote(path)} takes $each with a list, and nothing beside it`);
    }
    return value.$each.map((element) => cleanValue(element, () => quote(path)));
  }
  return [cleanValue(value, () => quote(path))];
}

function pull(at: At, value: unknown): Step {
  if (!isPlainObject(value)) {
    const equal = cleanScalar(value, () => quote(at.path));
    if (equal === undefined) throw refuseUpdate(`$pull on ${quote(at.path)} takes a scalar or a filter`);
    return { ...at, op: "pull", equal };
  }
  const keys = Object.keys(value);
  if (keys.length === 0 || keys.some((key) => key.startsWith("$"))) {
    throw refuseUpdate(`$pull on ${quote(at.path)} takes a scalar or a filter that names fields of the elements`);
  }
  return { ...at, op: "pullMatching", filter: parseFilter(value as Parameters<typeof parseFilter>[0]) };
}

function parseStep(operator: string, at: At, value: unknown): Step {
  if (value === undefined) throw refuseUpdate(`${operator} on ${quote(at.path)} is undefined; use $unset to remove`);
  const where = (): string => quote(at.path);
  switch (operator) {
    case "$set":
      return { ...at, op: "set", value: cleanValue(value, where) };
    case "$setOnInsert":
      return { ...at, op: "setOnInsert", value: at.path === "_id" ? cleanId(value) : cleanValue(value, where) };
    case "$addToSet":
      return { ...at, op: "addToSet", value: cleanValue(value, where) };
    case "$unset":
      if (value !== true) throw refuseUpdate(`$unset on ${where()} takes true`);
      return { ...at, op: "unset" };
    case "$inc":
      if (typeof value !== "number" || !Number.isFinite(value)) throw refuseUpdate(`$inc on ${where()} takes a number`);
      return { ...at, op: "inc", by: value };
    case "$max":
    case "$min":
      return { ...at, op: operator === "$max" ? "max" : "min", value: bound(value, at.path) };
    case "$push":
      return { ...at, op: "push", values: pushed(value, at.path) };
    case "$pull":
      return pull(at, value);
    default:
      throw refuseUpdate(`the update has the unknown operator ${quote(operator)}`);
  }
}

function parseOperator(operator: string, fields: unknown): Step[] {
  if (!isPlainObject(fields)) throw refuseUpdate(`${quote(operator)} must be an object from paths to values`);
  return Object.keys(fields).map((path) => {
    const parts = parsePath(path, "the update");
    if (parts[0] === "_id" && (operator !== "$setOnInsert" || parts.length > 1)) {
      throw refuseUpdate("_id of a document never changes; an upsert may give it by $setOnInsert");
    }
    return parseStep(operator, { path, parts }, fields[path]);
  });
}

/**
 * Reads an update, refusing what is not on the port's list of operators and two changes to one path.
 * @throws RegistryError `INVALID_UPDATE`, `INVALID_DOCUMENT_KEY`, `INVALID_DOCUMENT_VALUE`
 */
export function parseUpdate(update: Update): readonly Step[] {
  if (!isPlainObject(update)) throw refuseUpdate("an update must be a plain object");
  const operators = Object.entries(update).filter(([, fields]) => fields !== undefined);
  if (operators.length === 0) throw refuseUpdate("the update names no operator");
  const steps = operators.flatMap(([operator, fields]) => parseOperator(operator, fields));
  const sorted = steps.map((step) => step.path).sort();
  for (const [i, path] of sorted.entries()) {
    const clash = sorted.find((other, j) => j < i && overlap(other, path));
    if (clash !== undefined) throw refuseUpdate(`the update changes ${quote(path)} twice`);
  }
  return steps;
}

/**
 * What an upsert puts into a new document: the values that its filter asks to be equal.
 * @throws RegistryError `INVALID_UPSERT` where the filter leaves open what that is
 */
export function upsertFields(filter: Expr, steps: readonly Step[]): ReadonlyMap<string, Scalar> {
  const fields = new Map<string, Scalar>();
  for (const expr of conjuncts(filter)) {
    if (expr.kind !== "test" || expr.test.op === "in") {
      throw invalid("INVALID_UPSERT", "the filter of an upsert takes no $or and no $in: what to insert must be clear");
    }
    if (expr.test.op !== "eq") continue;
    for (const path of fields.keys()) {
      if (overlap(path, expr.path))
        throw invalid("INVALID_UPSERT", `the filter of the upsert has ${quote(path)} twice`);
    }
    fields.set(expr.path, expr.test.value);
  }
  const given = steps.find((step) => step.op === "setOnInsert" && step.path === "_id");
  if (fields.has("_id")) cleanId(fields.get("_id"));
  if (fields.has("_id") === (given === undefined)) return fields;
  throw invalid("INVALID_UPSERT", "an upsert needs one _id: in the filter by equality, or by $setOnInsert");
}

/**
 * An upsert by replacement inserts the replacement: its filter may not ask for another `_id`.
 * @throws RegistryError `INVALID_UPSERT`
 */
export function checkReplacement(filter: Expr, id: Id): void {
  for (const expr of conjuncts(filter)) {
    if (expr.kind !== "test" || expr.path !== "_id" || expr.test.op !== "eq" || expr.test.value === id) continue;
    throw invalid("INVALID_UPSERT", "the filter asks for another _id than the replacement has");
  }
}
