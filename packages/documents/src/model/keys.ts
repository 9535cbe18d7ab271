import { RegistryError } from "@registry/domain";
import type { Value } from "../port.ts";
import { encode } from "./codec.ts";
import { isPlainObject, type Missing, missing, own, type PlainObject } from "./values.ts";

/**
 * Index keys: byte strings whose order (memcmp) is MongoDB's order of values. The first byte is the type's bracket.
 * Null and missing share a key; an empty array, which has no element to index, has its own below them.
 */
export const emptyArray: unique symbol = Symbol("empty array");
export type KeyPart = Value | Missing | typeof emptyArray;

const bracket = {
  empty: 0x08,
  null: 0x10,
  number: 0x20,
  string: 0x30,
  object: 0x40,
  array: 0x50,
  boolean: 0x60,
  date: 0x70,
};
type Bracket = keyof typeof bracket;

function bracketOf(value: KeyPart): Bracket {
  if (value === emptyArray) return "empty";
  if (value === null || value === missing) return "null";
  if (value instanceof Date) return "date";
  if (Array.isArray(value)) return "array";
  const type = typeof value;
  return type === "number" || type === "string" || type === "boolean" ? type : "object";
}

const scratch = new DataView(new ArrayBuffer(8));
function numberKey(type: number, value: number): Buffer {
  scratch.setFloat64(0, value);
  const high = scratch.getUint32(0);
  const negative = high >>> 31 === 1;
  const key = Buffer.allocUnsafe(9);
  key[0] = type;
  // Flipping the sign (or, below zero, all bits) makes the bytes of an IEEE 754 number sort as the number does.
  key.writeUInt32BE((negative ? ~high : high | 0x80000000) >>> 0, 1);
  key.writeUInt32BE((negative ? ~scratch.getUint32(4) : scratch.getUint32(4)) >>> 0, 5);
  return key;
}

function textKey(type: number, text: string): Buffer {
  const length = Buffer.byteLength(text);
  const key = Buffer.allocUnsafe(length + 1);
  key[0] = type;
  key.write(text, 1);
  return key;
}

export function encodeKey(value: KeyPart): Buffer {
  const kind = bracketOf(value);
  const type = bracket[kind];
  if (typeof value === "string") return textKey(type, value);
  if (typeof value === "number") return numberKey(type, value);
  if (value instanceof Date) return numberKey(type, value.getTime());
  if (typeof value === "boolean") return Buffer.from([type, value ? 1 : 0]);
  if (kind === "object" || kind === "array") return textKey(type, encode(value as Value));
  return Buffer.from([type]);
}

/** The first key of the value's type, and the first after all keys of that type: comparisons stay within. */
export function typeBounds(value: Value): { readonly from: Buffer; readonly to: Buffer } {
  const type = bracket[bracketOf(value)];
  return { from: Buffer.from([type]), to: Buffer.from([type + 1]) };
}

export const parallelArrays = (cause?: unknown): RegistryError =>
  new RegistryError(
    "invalid_argument",
    "PARALLEL_ARRAYS",
    "two of the paths lead into different arrays; an index or sort follows one at most",
    { cause },
  );

export interface Tuples {
  /** One for each key tuple: the values at the paths, in order of the paths. */
  readonly tuples: readonly (readonly KeyPart[])[];
  /** Which of the paths led through an array. */
  readonly multikey: readonly boolean[];
}

type Cursor = { readonly value: Value | Missing; readonly rest: readonly string[]; readonly done: boolean };

function advance(cursor: Cursor): Cursor {
  let { value, rest } = cursor;
  while (rest.length > 0 && isPlainObject(value)) {
    value = own(value, rest[0] as string);
    rest = rest.slice(1);
  }
  if (Array.isArray(value)) return { value, rest, done: false };
  return { value: rest.length > 0 ? missing : value, rest: [], done: true };
}

function intoElement(cursor: Cursor, element: Value): Cursor {
  if (cursor.rest.length === 0) return { value: element, rest: [], done: true };
  return isPlainObject(element)
    ? { value: element, rest: cursor.rest, done: false }
    : { value: missing, rest: [], done: true };
}

function expand(cursors: readonly Cursor[], into: KeyPart[][], multikey: boolean[]): void {
  const at = cursors.map((cursor) => (cursor.done ? cursor : advance(cursor)));
  const arrays = new Set(at.filter((cursor) => !cursor.done).map((cursor) => cursor.value));
  if (arrays.size > 1) {
    throw parallelArrays();
  }
  const [array] = arrays as Set<readonly Value[]>;
  if (array === undefined) {
    into.push(at.map((cursor) => cursor.value));
    return;
  }
  at.forEach((cursor, i) => {
    if (!cursor.done) multikey[i] = true;
  });
  if (array.length === 0) {
    into.push(at.map((cursor) => (cursor.done ? cursor.value : cursor.rest.length === 0 ? emptyArray : missing)));
    return;
  }
  for (const element of array) {
    expand(
      at.map((cursor) => (cursor.done ? cursor : intoElement(cursor, element))),
      into,
      multikey,
    );
  }
}

/** @returns undefined where a path meets an array */
function tupleWithoutArrays(
  document: PlainObject,
  paths: readonly (readonly string[])[],
): readonly KeyPart[] | undefined {
  const tuple: KeyPart[] = [];
  for (const path of paths) {
    const { value, done } = advance({ value: document, rest: path, done: false });
    if (!done) return undefined;
    tuple.push(value);
  }
  return tuple;
}

/**
 * The key tuples of a document for some paths, as MongoDB makes them: one for each element of the array that the
 * paths meet, one in all where they meet none.
 * @throws RegistryError `PARALLEL_ARRAYS`
 */
export function keyTuples(document: PlainObject, paths: readonly (readonly string[])[]): Tuples {
  const multikey = paths.map(() => false);
  const simple = tupleWithoutArrays(document, paths);
  if (simple !== undefined) return { tuples: [simple], multikey };
  const tuples: KeyPart[][] = [];
  expand(
    paths.map((rest) => ({ value: document, rest, done: false })),
    tuples,
    multikey,
  );
  return { tuples, multikey };
}
