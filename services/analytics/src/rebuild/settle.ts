import type { Place } from "../model/rollup.ts";
import type { RebuildParts } from "./parts.ts";

const maxTries = 20;

/** What a place should count, by what it is counted from. */
export type Truth = (place: Place) => Promise<number>;

/**
 * Sets one count right while others count. A count may only go down where it is still what was seen, and is looked at
 * again afterwards: who counted in between found a higher one and left it.
 * @returns whether it was wrong
 */
export async function settle(parts: RebuildParts, place: Place, truth: Truth): Promise<boolean> {
  for (let tries = 0; tries < maxTries; tries++) {
    const seen = (await parts.rollupRepair.countsOf([place._id])).get(place._id) ?? 0;
    const count = await truth(place);
    if (count === seen) return tries > 0;
    if (count > seen) await parts.rollups.raise([{ place, count }]);
    else await parts.rollupRepair.lower(place, seen, count);
  }
  throw new Error(`${place.level}: more was counted than could be followed`);
}
