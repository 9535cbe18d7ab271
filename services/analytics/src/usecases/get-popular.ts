import { isAdmin } from "@registry/domain";
import type { UseCase } from "../parts.ts";
import { mostDownloaded } from "../popularity.ts";
import { within } from "./within.ts";

export const getPopular: UseCase<"getPopular"> = (parts) => async (request, context) => {
  const days = within(request.days, 30, 365, "days");
  const limit = within(request.limit, 10, 100, "limit");
  return { plugins: await mostDownloaded(parts, days, limit, isAdmin(context.caller)) };
};
