import { invalid } from "@registry/domain";
import type { FindOptions } from "../port.ts";
import { parseSort, type SortKey } from "./order.ts";
import { type Projection, parseProjection } from "./project.ts";

export interface ParsedOptions {
  readonly sort: readonly SortKey[];
  readonly skip: number;
  /** Infinity for all. */
  readonly limit: number;
  /** Undefined for all fields. */
  readonly projection: Projection | undefined;
}

function natural(value: number, name: string): number {
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw invalid("INVALID_FIND_OPTIONS", `${name} must be a whole number from 0 upwards`);
}

/** @throws RegistryError `INVALID_FIND_OPTIONS`, `INVALID_SORT`, `INVALID_PROJECTION`, `INVALID_DOCUMENT_KEY` */
export function parseOptions(options: FindOptions = {}): ParsedOptions {
  const { sort = [], skip = 0, limit, fields } = options;
  return {
    sort: parseSort(sort),
    skip: natural(skip, "skip"),
    limit: limit === undefined ? Number.POSITIVE_INFINITY : natural(limit, "limit"),
    projection: fields === undefined ? undefined : parseProjection(fields),
  };
}
