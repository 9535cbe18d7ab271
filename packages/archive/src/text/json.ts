import { quote } from "@registry/domain";
import { refused } from "../refuse.ts";
import { forbiddenKeys, type Json, type JsonObject, LONGEST_NESTING, MOST_NODES } from "./value.ts";

/**
 * Reads a JSON object strictly: no key twice, no `__proto__` and the like, bounded nesting and number of values; a
 * byte order mark is passed over. `path` names the file in errors. Throws RegistryError `rejected` INVALID_JSON.
 */
export function parseJsonObject(text: string, path: string): JsonObject {
  const source = text.startsWith("\uFEFF") ? text.slice(1) : text;
  let value: unknown;
  try {
    value = JSON.parse(source);
  } catch {
    throw invalid(path, "is not valid JSON");
  }
  checkNesting(source, path);
  checkKeys(source, path);
  if (!isJsonObject(value)) throw invalid(path, "is not a JSON object");
  checkNumbers(value, path);
  return value;
}

/** A number that is too large to be held would be handed on as null. */
function checkNumbers(value: Json, path: string): void {
  const open: Json[] = [value];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next === "number" && !Number.isFinite(next)) throw invalid(path, "has a number that is too large");
    if (typeof next === "object" && next !== null) open.push(...Object.values(next));
  }
}

function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isObject(value: Json | undefined): value is JsonObject {
  return isJsonObject(value);
}

function invalid(path: string, what: string): Error {
  return refused("INVALID_JSON", `${path} ${what}`, path);
}

/** Strings and structural characters: all that it takes to walk a text which is known to be JSON. */
const token = /"(?:[^"\\]|\\.)*"|[[\]{},:]/gs;

function checkNesting(source: string, path: string): void {
  let depth = 0;
  let nodes = 0;
  for (const [found] of source.matchAll(token)) {
    if (found === "{" || found === "[") depth++;
    else if (found === "}" || found === "]") depth--;
    if (depth > LONGEST_NESTING) throw invalid(path, `nests deeper than ${LONGEST_NESTING} levels`);
    if (found !== ":" && ++nodes > MOST_NODES * 3) throw invalid(path, `has more than ${MOST_NODES} values`);
  }
}

/** A string before a colon is a key of the innermost object. */
function checkKeys(source: string, path: string): void {
  const open: Set<string>[] = [];
  let last = "";
  for (const [found] of source.matchAll(token)) {
    if (found === "{" || found === "[") open.push(new Set());
    else if (found === "}" || found === "]") open.pop();
    else if (found === ":") claim(last, open.at(-1), path);
    last = found;
  }
}

function claim(literal: string, keys: Set<string> | undefined, path: string): void {
  const key: unknown = JSON.parse(literal);
  if (typeof key !== "string" || keys === undefined) throw invalid(path, "is not valid JSON");
  if (forbiddenKeys.has(key)) throw invalid(path, `uses the key ${quote(key)}, which is not allowed`);
  if (keys.has(key)) throw invalid(path, `gives the key ${quote(key)} twice`);
  keys.add(key);
}
