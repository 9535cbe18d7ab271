import { quote, RegistryError } from "@registry/domain";
import type { Id, Scalar, Value } from "../port.ts";
import { encode } from "./codec.ts";
import { matches } from "./evaluate.ts";
import { compareValues } from "./order.ts";
import { arrayPosition } from "./paths.ts";
import type { Step } from "./update.ts";
import { isPlainObject, type Missing, missing, own, type PlainObject } from "./values.ts";

/** The document's content does not allow the update; nothing was changed. */
export const notApplicable = (message: string, cause?: unknown): RegistryError =>
  new RegistryError("invalid_argument", "UPDATE_NOT_APPLICABLE", message, { cause });

/** As MongoDB bounds how far beyond its end an array may be set. */
const maxPadding = 10_000;

type Container = PlainObject | Value[];

function get(container: Container, part: string): Value | Missing {
  if (!Array.isArray(container)) return own(container, part);
  const position = arrayPosition(part);
  return position === undefined ? missing : (container[position] ?? missing);
}

function put(container: Container, part: string, value: Value): void {
  if (!Array.isArray(container)) {
    container[part] = value;
    return;
  }
  const position = arrayPosition(part);
  if (position === undefined || position > container.length + maxPadding) {
    throw notApplicable(`the update cannot make the field ${quote(part)} in an array`);
  }
  while (container.length < position) container.push(null);
  container[position] = value;
}

/** The container of the path's last part, made where it is missing; undefined where it is missing and not to be made. */
function reach(document: PlainObject, parts: readonly string[], make: boolean): Container | undefined {
  let container: Container = document;
  for (const part of parts.slice(0, -1)) {
    let next = get(container, part);
    if (next === missing) {
      if (!make) return undefined;
      next = {};
      put(container, part, next);
    }
    if (!isPlainObject(next) && !Array.isArray(next)) {
      if (!make) return undefined;
      throw notApplicable(`the update cannot make a field inside ${quote(part)}, which holds a value`);
    }
    container = next as Container;
  }
  return container;
}

function remove(document: PlainObject, parts: readonly string[]): void {
  const container = reach(document, parts, false);
  const last = parts.at(-1) as string;
  if (container === undefined || get(container, last) === missing) return;
  if (Array.isArray(container)) put(container, last, null);
  else delete container[last];
}

function arrayAt(value: Value | Missing, step: Step): readonly Value[] {
  if (value === missing) return [];
  if (Array.isArray(value)) return value;
  throw notApplicable(`${quote(step.path)} is no array, so the update cannot change its elements`);
}

function sum(value: Value | Missing, by: number, path: string): number {
  if (value !== missing && typeof value !== "number") throw notApplicable(`${quote(path)} is no number to add to`);
  const result = (value === missing ? 0 : value) + by;
  if (!Number.isFinite(result)) throw notApplicable(`${quote(path)} would be over the range of numbers`);
  return result === 0 ? 0 : result;
}

function extreme(value: Value | Missing, step: Extract<Step, { op: "max" | "min" }>): Value {
  if (value === missing) return step.value;
  const order = compareValues(step.value, value);
  return (step.op === "max" ? order > 0 : order < 0) ? step.value : value;
}

function added(value: Value | Missing, step: Extract<Step, { op: "addToSet" }>): Value {
  const array = arrayAt(value, step);
  const text = encode(step.value);
  return array.some((element) => encode(element) === text) ? array : [...array, step.value];
}

function pulled(value: Value | Missing, step: Extract<Step, { op: "pull" | "pullMatching" }>): Value | Missing {
  if (value === missing) return missing;
  const array = arrayAt(value, step);
  if (step.op === "pull") {
    const text = encode(step.equal);
    return array.filter((element) => encode(element) !== text);
  }
  return array.filter((element) => !(isPlainObject(element) && matches(step.filter, element)));
}

function changed(value: Value | Missing, step: Exclude<Step, { op: "unset" }>): Value | Missing {
  switch (step.op) {
    case "set":
    case "setOnInsert":
      return step.value;
    case "inc":
      return sum(value, step.by, step.path);
    case "max":
    case "min":
      return extreme(value, step);
    case "push":
      return [...arrayAt(value, step), ...step.values];
    case "addToSet":
      return added(value, step);
    default:
      return pulled(value, step);
  }
}

/**
 * Applies the steps to the document in place. If it throws, the document is to be dropped.
 * @throws RegistryError `UPDATE_NOT_APPLICABLE`
 */
export function applySteps(document: PlainObject, steps: readonly Step[], inserting: boolean): void {
  for (const step of steps) {
    if (step.op === "setOnInsert" && !inserting) continue;
    if (step.op === "unset") {
      remove(document, step.parts);
      continue;
    }
    const removes = step.op === "pull" || step.op === "pullMatching";
    const container = reach(document, step.parts, !removes);
    if (container === undefined) continue;
    const last = step.parts.at(-1) as string;
    const value = changed(get(container, last), step);
    if (value !== missing) put(container, last, structuredCopy(value));
  }
}

/** One update may set many documents: they must not share its values. */
function structuredCopy(value: Value): Value {
  return typeof value === "object" && value !== null ? structuredClone(value) : value;
}

/**
 * The document that an upsert inserts.
 * @param fields what its filter asks to be equal, see `upsertFields`
 */
export function upsertedDocument(
  fields: ReadonlyMap<string, Scalar>,
  steps: readonly Step[],
): PlainObject & { _id: Id } {
  const fromFilter: Step[] = [...fields].map(([path, value]) => ({ op: "set", path, parts: path.split("."), value }));
  const document: PlainObject = {};
  applySteps(document, [...fromFilter, ...steps], true);
  const { _id, ...rest } = document;
  return { _id: _id as Id, ...rest };
}
