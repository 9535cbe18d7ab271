import type { ClientKind } from "@registry/domain";
import { downloadPlaces, type Places, searchPlaces } from "./rollup.ts";
import type { Usage } from "./usage.ts";

/** What one or many events are counted under, and all that is needed to count them again. */
export interface Spot {
  /** Of one of the events. */
  readonly time: Date;
  readonly plugin?: string;
  readonly version?: string;
  readonly client?: ClientKind;
  readonly query?: string;
  readonly found?: boolean;
}

export interface LastUse {
  readonly userId: number;
  readonly at: Date;
}

/** What is to be counted anew because of some events. */
export interface Due {
  readonly spots: readonly Spot[];
  readonly users: readonly LastUse[];
}

/** Written before its events and removed once they are counted, so that whatever was stored is counted by somebody. */
export interface Batch extends Due {
  readonly _id: string;
  readonly since: Date;
  /** All of its events are: until then whoever counts it has not seen all that it stands for. */
  readonly stored?: true;
}

export function dueOf(usages: readonly Usage[]): Due {
  const spots = new Map<string, Spot>();
  for (const usage of usages) {
    const key = String(usage.leaf);
    if (!spots.has(key)) spots.set(key, spotOf(usage));
  }
  return { spots: [...spots.values()], users: lastUses(usages) };
}

/** What an earlier release stored is in leaves of its own kind. */
const isOld = (leaf: Usage["leaf"]): boolean => /^(?:search-)?hour\|/.test(String(leaf));

function spotOf({ time, leaf, plugin, version, client, query, resultsCount = 0 }: Usage): Spot {
  if (plugin !== undefined && version !== undefined) {
    return { time, plugin, version, ...(client === undefined || isOld(leaf) ? {} : { client }) };
  }
  return { time, query: query ?? "", ...(isOld(leaf) ? {} : { found: resultsCount > 0 }) };
}

export function placesOf({ time, plugin, version, client, query, found }: Spot): Places {
  if (plugin !== undefined && version !== undefined) return downloadPlaces(plugin, version, time, client);
  return searchPlaces(query ?? "", time, found);
}

/** Downloads make a user active, searches do not. */
function lastUses(usages: readonly Usage[]): LastUse[] {
  const last = new Map<number, Date>();
  for (const { userId, plugin, time } of usages) {
    if (userId === undefined || plugin === undefined) continue;
    const known = last.get(userId);
    if (known === undefined || known < time) last.set(userId, time);
  }
  return [...last].map(([userId, at]) => ({ userId, at }));
}
