import { type Due, placesOf } from "./model/batch.ts";
import type { Place } from "./model/rollup.ts";
import { inParallel } from "./parallel.ts";
import type { Activities } from "./store/activity.ts";
import type { Counted, Rollups } from "./store/rollups.ts";
import type { Usages } from "./store/usages.ts";

/** Places that are read together and then written together: the store answers others in between. */
const together = 100;
const width = 50;

/** @returns how many places were counted */
export type Fold = (due: Due) => Promise<number>;

/**
 * Brings every count up to date that stored events are part of, each place once however many events are in it. Repeating
 * it changes nothing.
 */
export function createFold(stores: { usages: Usages; rollups: Rollups; activities: Activities }): Fold {
  const { usages, rollups, activities } = stores;
  return async ({ spots, users }) => {
    const [leaves = [], ...tiers] = tiersOf(spots.map(placesOf));
    for (const some of chunks(leaves)) {
      const counted: Counted[] = [];
      await inParallel(some, width, async (place) => {
        counted.push({ place, count: await usages.countIn(place) });
      });
      await rollups.raise(counted);
    }
    for (const some of tiers.flatMap(chunks)) {
      const sums = await rollups.sumsBelow(some);
      await rollups.raise(some.map((place) => ({ place, count: sums.get(place._id) ?? 0 })));
    }
    await inParallel(users, width, ({ userId, at }) => activities.note(userId, at));
    return leaves.length + tiers.flat().length;
  };
}

/** Leaves first, then what is above them, each place once. */
function tiersOf(all: readonly ReturnType<typeof placesOf>[]): Place[][] {
  const tiers: Map<string, Place>[] = [];
  const add = (tier: number, places: readonly Place[]): void => {
    const known = tiers[tier] ?? new Map<string, Place>();
    tiers[tier] = known;
    for (const place of places) known.set(place._id, place);
  };
  for (const { leaves, above } of all) {
    add(0, leaves);
    for (const [i, places] of above.entries()) add(i + 1, places);
  }
  return tiers.map((tier) => [...tier.values()]);
}

function chunks(places: readonly Place[]): Place[][] {
  const parts = Math.ceil(places.length / together);
  return Array.from({ length: parts }, (_, i) => places.slice(i * together, (i + 1) * together));
}
