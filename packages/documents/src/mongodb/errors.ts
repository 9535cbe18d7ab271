import { unavailable } from "@registry/domain";
import {
  MongoAPIError,
  MongoClientClosedError,
  MongoError,
  MongoNotConnectedError,
  MongoServerError,
  MongoTopologyClosedError,
} from "mongodb";
import { notApplicable } from "../model/apply.ts";
import { parallelArrays } from "../model/keys.ts";
import { idIndex } from "../model/specs.ts";
import { documentTooLarge } from "../model/values.ts";
import { type CollectionSpec, DuplicateKeyError } from "../port.ts";

/** MongoDB's numbers: https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml */
const duplicateKey = new Set([11000, 11001, 12582]);
const tooLarge = new Set([10334, 17280, 17419, 17420]);
/** BadValue, TypeMismatch, PathNotViable, ConflictingUpdateOperators, ImmutableField and its kin. */
const contentForbids = new Set([2, 14, 28, 40, 54, 66, 16837]);
export const indexConflicts = new Set([85, 86]);
const cannotIndexParallelArrays = 171;

export function isDuplicateKey(error: unknown): boolean {
  return error instanceof MongoServerError && duplicateKey.has(Number(error.code));
}

/** The index that a server names in its text, or describes by its keys. */
export function duplicateIndex(error: { message: string; keyPattern?: unknown }, spec: CollectionSpec): string {
  const named = /index: (?:[^ ]*\$)?([a-z0-9_]+)/.exec(error.message)?.[1];
  if (named !== undefined) return named;
  const paths = typeof error.keyPattern === "object" && error.keyPattern !== null ? Object.keys(error.keyPattern) : [];
  const described = spec.indexes.find(({ keys }) => keys.map(([path]) => path).join() === paths.join());
  return described?.name ?? idIndex;
}

/**
 * The server, or the way to it, does not serve at the moment: host unreachable or not found, time or write concern
 * exceeded, shutdown, stepdown, no primary; and no (or not this) right, which an operator mends while we wait.
 */
const away = new Set([
  6, 7, 13, 18, 50, 64, 89, 91, 100, 133, 189, 216, 262, 9001, 10058, 10107, 11600, 11602, 13435, 13436,
]);

export type Purpose = "read" | "insert" | "update";

function fromServer(error: MongoServerError, spec: CollectionSpec, purpose: Purpose): unknown {
  const code = Number(error.code);
  if (duplicateKey.has(code)) {
    const { keyPattern } = error as { keyPattern?: unknown };
    return new DuplicateKeyError(spec.name, duplicateIndex({ message: error.message, keyPattern }, spec));
  }
  if (tooLarge.has(code)) return documentTooLarge(error);
  if (code === cannotIndexParallelArrays || /parallel arrays/i.test(error.message)) return parallelArrays(error);
  if (purpose === "update" && contentForbids.has(code)) {
    return notApplicable("the document's content does not allow this update", error);
  }
  return away.has(code) || error.hasErrorLabel("RetryableWriteError")
    ? unavailable("the document store", error)
    : error;
}

/** The error of the port for an error of the driver; one that the port does not foresee as it is. */
export function translateError(error: unknown, spec: CollectionSpec, purpose: Purpose): unknown {
  if (error instanceof MongoServerError) return fromServer(error, spec, purpose);
  // An API error says that the driver was used wrongly, unless it says that the client is closed.
  const misuse =
    error instanceof MongoAPIError &&
    !(
      error instanceof MongoClientClosedError ||
      error instanceof MongoNotConnectedError ||
      error instanceof MongoTopologyClosedError
    );
  return error instanceof MongoError && !misuse ? unavailable("the document store", error) : error;
}
