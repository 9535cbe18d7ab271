import { invalid, isAdmin } from "@registry/domain";
import type { UseCase } from "../parts.ts";
import { mostDownloaded } from "../popularity.ts";

function within(value: number, fallback: number, max: number, field: string): number {
  const asked = value === 0 ? fallback : value;
  if (asked >= 1 && asked <= max) return asked;
  throw invalid(`INVALID_${field.toUpperCase()}`, `${field} must be 1 to ${max}, or 0 for ${fallback}`, `/${field}`);
}

export const getPopular: UseCase<"getPopular"> = (parts) => async (request, context) => {
  const days = within(request.days, 30, 365, "days");
  const limit = within(request.limit, 10, 100, "limit");
  return { plugins: await mostDownloaded(parts, days, limit, isAdmin(context.caller)) };
};
