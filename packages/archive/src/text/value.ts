/**
 * A document read without guessing types: an unquoted YAML scalar keeps its spelling (`1.10`, `no`), so that the
 * field that reads it decides whether it is a text, a number or a flag. Maps are `Map`s: no key is special.
 */
export type Value = string | Plain | null | readonly Value[] | ReadonlyMap<string, Value>;

/** An unquoted, non-empty YAML scalar as it is spelled. */
export class Plain {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type Json = string | number | boolean | null | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

/** Keys that change an object's nature in one language or another. */
export const forbiddenKeys: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype", "<<"]);

export const LONGEST_NESTING = 32;
export const MOST_NODES = 5000;

/** YAML 1.2 core schema for plain scalars; what JSON cannot carry exactly stays a text. */
export function toJson(value: Value): Json {
  if (value === null || typeof value === "string") return value;
  if (value instanceof Plain) return plainToJson(value.text);
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, item]) => [key, toJson(item)]));
  return Array.isArray(value) ? value.map((item: Value) => toJson(item)) : null;
}

const flags: ReadonlyMap<string, boolean | null> = new Map<string, boolean | null>([
  ["true", true],
  ["True", true],
  ["TRUE", true],
  ["false", false],
  ["False", false],
  ["FALSE", false],
  ["null", null],
  ["Null", null],
  ["NULL", null],
  ["~", null],
]);

function plainToJson(text: string): Json {
  const flag = flags.get(text);
  if (flag !== undefined) return flag;
  if (/^(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$/.test(text)) {
    const whole = Number(text);
    return Number.isSafeInteger(whole) ? whole : text;
  }
  if (/^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/.test(text)) {
    const fraction = Number(text);
    return Number.isFinite(fraction) ? fraction : text;
  }
  return text;
}

/** The spellings of nothing that an unquoted scalar may have. */
export function isNull(value: Value | undefined): boolean {
  return value === undefined || value === null || (value instanceof Plain && flags.get(value.text) === null);
}
