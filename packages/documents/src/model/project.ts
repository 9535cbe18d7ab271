import { invalid, quote } from "@registry/domain";
import type { Value } from "../port.ts";
import { overlap, parsePath } from "./paths.ts";
import { isPlainObject, missing, own, type PlainObject } from "./values.ts";

/** Fields to keep: a branch that is null is kept whole. */
export type Projection = ReadonlyMap<string, Projection | null>;
type Growing = Map<string, Growing | null>;

const mostRemembered = 200;
const remembered = new Map<string, Projection>();

/**
 * Services ask for the same few lists of fields all the time, so the parsed ones are kept.
 * @throws RegistryError `INVALID_PROJECTION`, `INVALID_DOCUMENT_KEY`
 */
export function parseProjection(fields: readonly string[]): Projection {
  // No name that was parsed holds a NUL, so with their number this text stands for one list alone.
  const key = `${fields.length}\0${fields.join("\0")}`;
  const known = remembered.get(key);
  if (known !== undefined) return known;
  const projection = parse(fields);
  if (remembered.size >= mostRemembered) remembered.clear();
  remembered.set(key, projection);
  return projection;
}

function parse(fields: readonly string[]): Projection {
  const root: Growing = new Map([["_id", null]]);
  const paths = fields.filter((path) => path !== "_id");
  for (const [i, path] of paths.entries()) {
    const parts = parsePath(path, "fields");
    const clash = paths.find((other, j) => j < i && overlap(path, other));
    if (clash !== undefined || parts[0] === "_id") {
      throw invalid("INVALID_PROJECTION", `fields names ${quote(path)} twice or beside a path that holds it`);
    }
    let branch = root;
    for (const part of parts.slice(0, -1)) {
      const next: Growing = branch.get(part) ?? new Map();
      branch.set(part, next);
      branch = next;
    }
    branch.set(parts.at(-1) as string, null);
  }
  return root;
}

function projectElements(array: readonly Value[], projection: Projection): Value[] {
  return array.flatMap((element): Value[] => {
    if (Array.isArray(element)) return [projectElements(element, projection)];
    return isPlainObject(element) ? [project(element, projection)] : [];
  });
}

/** The document with nothing but these fields, through arrays as MongoDB does it. */
export function project(document: PlainObject, projection: Projection): PlainObject {
  const result: PlainObject = {};
  for (const key of Object.keys(document)) {
    const branch = projection.get(key);
    const value = own(document, key);
    if (branch === undefined || value === missing) continue;
    if (branch === null) result[key] = value;
    else if (Array.isArray(value)) result[key] = projectElements(value, branch);
    else if (isPlainObject(value)) result[key] = project(value, branch);
  }
  return result;
}
