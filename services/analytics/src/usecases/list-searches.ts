import { setImmediate } from "node:timers/promises";
import { before, dayMs, dayOf } from "../model/time.ts";
import type { Insight } from "../parts.ts";
import { within } from "./within.ts";

/** Bounds what is read; what is rarer than this on each day is on no list of the most frequent. */
const mostOfDay = 500;

interface Searched {
  readonly query: string;
  searches: number;
  withoutResults: number;
}

export const listSearches: Insight<"listSearches"> = (parts) => async (request, _context) => {
  const days = within(request.days, 30, 90, "days");
  const limit = within(request.limit, 10, 100, "limit");
  const today = dayOf(parts.clock.now());
  const byQuery = new Map<string, Searched>();
  for (let ago = 0; ago < days; ago++) {
    const day = before(today, ago * dayMs);
    for (const level of ["found-day", "empty-day"] as const) {
      for (const { query = "", count } of await parts.rollups.topOf(level, day, mostOfDay)) {
        const searched = byQuery.get(query) ?? { query, searches: 0, withoutResults: 0 };
        byQuery.set(query, searched);
        searched.searches += count;
        if (level === "empty-day") searched.withoutResults += count;
      }
    }
    // Others of this process get their turn.
    await setImmediate();
  }
  const frequency = (each: Searched): number => (request.withoutResults ? each.withoutResults : each.searches);
  const queries = [...byQuery.values()]
    .filter((each) => frequency(each) > 0)
    .sort((a, b) => frequency(b) - frequency(a) || (a.query < b.query ? -1 : 1));
  return { queries: queries.slice(0, limit) };
};
