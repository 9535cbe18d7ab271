import { invalid } from "@registry/domain";

/**
 * A number of a request that has a default.
 * @param value 0 for the default
 * @throws kind `invalid_argument`, reason e.g. `INVALID_DAYS`
 */
export function within(value: number, fallback: number, max: number, field: string): number {
  const asked = value === 0 ? fallback : value;
  if (asked >= 1 && asked <= max) return asked;
  throw invalid(`INVALID_${field.toUpperCase()}`, `${field} must be 1 to ${max}, or 0 for ${fallback}`, `/${field}`);
}
