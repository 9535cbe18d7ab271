import { isAdmin } from "@registry/domain";
import type { Insight } from "../parts.ts";
import { mostGrown } from "../popularity.ts";
import { within } from "./within.ts";

export const getTrending: Insight<"getTrending"> = (parts) => async (request, context) => {
  const days = within(request.days, 7, 182, "days");
  const limit = within(request.limit, 10, 100, "limit");
  return { plugins: await mostGrown(parts, days, limit, isAdmin(context.caller)) };
};
