import { invalid, RegistryError } from "@registry/domain";
import type { Id, Scalar, Value } from "../port.ts";
import { checkKey, type Where } from "./paths.ts";

export type PlainObject = { [key: string]: Value | undefined };
/** What a path leads to where there is nothing; distinct from null. */
export const missing: unique symbol = Symbol("missing");
export type Missing = typeof missing;

const maxDepth = 100;
/** As in MongoDB. */
export const maxDocumentBytes = 16 * 1024 * 1024;

export const documentTooLarge = (cause?: unknown): RegistryError =>
  new RegistryError("too_large", "DOCUMENT_TOO_LARGE", "the document is over 16 MiB", { cause });

export function isPlainObject(value: unknown): value is PlainObject {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  // Values that come from another realm (a worker, a test's sandbox) have that realm's Object.prototype.
  return prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null;
}

function refuse(where: Where, what: string): RegistryError {
  return invalid(
    "INVALID_DOCUMENT_VALUE",
    `${where()} holds ${what}; allowed are strings, finite numbers, booleans, null, dates, arrays and plain objects`,
  );
}

/**
 * A copy of a scalar in the one form that all adapters store: no negative zero, well-formed Unicode.
 * Undefined if the value is no scalar.
 * @throws RegistryError `INVALID_DOCUMENT_VALUE` for numbers that are not finite and dates that are not valid
 */
export function cleanScalar(value: unknown, where: Where): Scalar | undefined {
  if (value === null || typeof value === "boolean") return value;
  if (typeof value === "string") return value.isWellFormed() ? value : value.toWellFormed();
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw refuse(where, "a number that is not finite");
    return value === 0 ? 0 : value;
  }
  if (!(value instanceof Date)) return undefined;
  if (Number.isNaN(value.getTime())) throw refuse(where, "an invalid date");
  return new Date(value.getTime());
}

/**
 * A deep copy of a value that no later change of the caller reaches, fields that are undefined dropped.
 * @throws RegistryError `INVALID_DOCUMENT_VALUE`, `INVALID_DOCUMENT_KEY`
 */
export function cleanValue(value: unknown, where: Where, depth = 0): Value {
  const scalar = cleanScalar(value, where);
  if (scalar !== undefined) return scalar;
  if (depth >= maxDepth) throw refuse(where, `more than ${maxDepth} levels`);
  if (Array.isArray(value)) return value.map((element) => cleanValue(element, where, depth + 1));
  if (!isPlainObject(value)) throw refuse(where, value === undefined ? "undefined" : `a value of type ${typeof value}`);
  return cleanObject(value, where, depth);
}

function cleanObject(value: PlainObject, where: Where, depth: number): PlainObject {
  const copy: PlainObject = {};
  for (const key of Object.keys(value)) {
    checkKey(key, where);
    const field = value[key];
    if (field !== undefined) copy[key.toWellFormed()] = cleanValue(field, where, depth + 1);
  }
  return copy;
}

/** @throws RegistryError `INVALID_DOCUMENT_ID` */
export function cleanId(id: unknown): Id {
  const scalar = cleanScalar(id, () => "_id");
  if (typeof scalar === "string" || typeof scalar === "number") return scalar;
  throw invalid("INVALID_DOCUMENT_ID", "_id must be a string or a number");
}

/**
 * A clean copy of a whole document.
 * @throws RegistryError `INVALID_DOCUMENT_ID`, `INVALID_DOCUMENT_VALUE`, `INVALID_DOCUMENT_KEY`
 */
export function cleanDocument(document: unknown): PlainObject & { _id: Id } {
  if (!isPlainObject(document)) throw invalid("INVALID_DOCUMENT_VALUE", "a document must be a plain object");
  const { _id, ...fields } = document;
  return { _id: cleanId(_id), ...cleanObject(fields, () => "the document", 0) };
}

/** An own field, never one that comes from the prototype. */
export function own(value: PlainObject, key: string): Value | Missing {
  if (!Object.hasOwn(value, key)) return missing;
  const field = value[key];
  return field === undefined ? missing : field;
}
