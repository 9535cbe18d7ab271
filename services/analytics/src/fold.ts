import type { Place } from "./model/rollup.ts";
import { placesOf, type Usage } from "./model/usage.ts";
import { inParallel } from "./parallel.ts";
import type { Activities } from "./store/activity.ts";
import type { Rollups } from "./store/rollups.ts";
import type { Usages } from "./store/usages.ts";

const width = 32;

export type Fold = (usages: readonly Usage[]) => Promise<void>;

/**
 * Brings every count up to date that stored events are part of, then marks them as counted. The mark goes last: what a
 * crash leaves unmarked is folded again, which changes nothing where it had been counted.
 */
export function createFold(stores: { usages: Usages; rollups: Rollups; activities: Activities }): Fold {
  const { usages, rollups, activities } = stores;
  return async (events) => {
    if (events.length === 0) return;
    const { leaves, tiers } = placesOfAll(events);
    await inParallel(leaves, width, async (leaf) => rollups.raise(leaf, await usages.countIn(leaf)));
    for (const tier of tiers) {
      await inParallel(tier, width, async (place) => rollups.raise(place, await rollups.sumBelow(place)));
    }
    await inParallel(lastUses(events), width, ([userId, time]) => activities.note(userId, time));
    await usages.markCounted(events);
  };
}

function placesOfAll(events: readonly Usage[]): { leaves: Place[]; tiers: Place[][] } {
  const leaves = new Map<string, Place>();
  const tiers: Map<string, Place>[] = [];
  for (const { leaf, topic, above } of events.map(placesOf)) {
    leaves.set(leaf._id, leaf);
    if (topic !== undefined) leaves.set(topic._id, topic);
    for (const [i, places] of above.entries()) {
      tiers[i] ??= new Map();
      for (const place of places) tiers[i]?.set(place._id, place);
    }
  }
  return { leaves: [...leaves.values()], tiers: tiers.map((tier) => [...tier.values()]) };
}

/** Downloads make a user active, searches do not. */
function lastUses(events: readonly Usage[]): [userId: number, time: Date][] {
  const last = new Map<number, Date>();
  for (const { userId, plugin, time } of events) {
    if (userId === undefined || plugin === undefined) continue;
    const known = last.get(userId);
    if (known === undefined || known < time) last.set(userId, time);
  }
  return [...last];
}
