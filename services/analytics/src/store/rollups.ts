import type { Alteration, Collection, Documents, Update } from "@registry/documents";
import {
  fineLevels,
  type Level,
  type Place,
  pluginTotalId,
  type Rollup,
  rankedLevels,
  searchesId,
  slices,
} from "../model/rollup.ts";

const trimAtOnce = 1000;
const maxRounds = 20;
/** Others' writes go between. */
const rankAtOnce = 100;

/** How many events there are in a place. */
export interface Counted {
  /** Also as it was read, with what was counted there by then. */
  readonly place: Place;
  readonly count: number;
}

function raising({ place, count }: Counted): Alteration {
  const { _id, level, plugin, version, client, query, start, up } = place;
  const fields = { level, plugin, version, client, query, start, up };
  const given = Object.entries(fields).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  const $setOnInsert = Object.fromEntries(given);
  const $max = countAt(level, count);
  const update: Update =
    level === "plugin"
      ? { $max, $setOnInsert, $inc: { changes: 1 }, $set: { unannounced: true } }
      : { $max, $setOnInsert };
  return { filter: { _id }, update };
}

/** What a place holds of its count. */
export function countAt(level: Level, count: number): { count: number; rank?: number } {
  return rankedLevels.includes(level) ? { count, rank: count } : { count };
}

const mostFirst = [
  ["rank", -1],
  ["_id", 1],
] as const;

/** What is counted, hour by hour and added up. */
export class Rollups {
  readonly #rollups: Collection<Rollup>;

  private constructor(rollups: Collection<Rollup>) {
    this.#rollups = rollups;
  }

  static async open(documents: Documents): Promise<Rollups> {
    const collection = await documents.collection<Rollup>({
      name: "rollups",
      indexes: [
        { name: "up", keys: [["up", 1]] },
        {
          name: "level_start_rank",
          keys: [
            ["level", 1],
            ["start", 1],
            ["rank", -1],
          ],
        },
        { name: "unannounced", keys: [["unannounced", 1]] },
      ],
    });
    return new Rollups(collection);
  }

  /** Counts only grow, so of two replicas that count at once the one that saw more is right. */
  async raise(counted: readonly Counted[]): Promise<void> {
    const changes = counted.filter(({ count }) => count > 0).map(raising);
    await this.#rollups.updateEach(changes, { upsert: true });
  }

  /** What all that says it is part of a place adds up to, by the place's id. */
  async sumsBelow(places: readonly Place[]): Promise<Map<string, number>> {
    const ids = places.map(({ _id }) => _id);
    const below = ids.length === 0 ? [] : await this.#rollups.find({ up: { $in: ids } }, { fields: ["up", "count"] });
    const sums = new Map(ids.map((id) => [id, 0]));
    for (const { up, count } of below) {
      for (const id of up) {
        const sum = sums.get(id);
        if (sum !== undefined) sums.set(id, sum + count);
      }
    }
    return sums;
  }

  /** The counts of those of the places that are there, by id. */
  async countsOf(ids: readonly string[]): Promise<Map<string, number>> {
    const found = await this.#rollups.find({ _id: { $in: ids } }, { fields: ["count"] });
    return new Map(found.map(({ _id, count }) => [_id, count]));
  }

  /** What some places are the sums of. */
  partsOf(ids: readonly string[]): Promise<Rollup[]> {
    return this.#rollups.find({ up: { $in: ids } }, { fields: ["level", "client", "start", "count"] });
  }

  /** The most frequent ones of a day. */
  topOf(level: Level, start: Date, limit: number): Promise<Rollup[]> {
    return this.#rollups.find({ level, start }, { sort: mostFirst, limit, fields: ["query", "count"] });
  }

  async ofPlugin(plugin: string): Promise<number> {
    return (await this.#rollups.findOne({ _id: pluginTotalId(plugin) }, { fields: ["count"] }))?.count ?? 0;
  }

  async searches(): Promise<number> {
    return (await this.#rollups.findOne({ _id: searchesId }, { fields: ["count"] }))?.count ?? 0;
  }

  /** Totals of every version of these plugins. */
  versionsOf(plugins: readonly string[]): Promise<Rollup[]> {
    const ids = plugins.map(pluginTotalId);
    return this.#rollups.find({ up: { $in: ids } }, { fields: ["plugin", "version", "count"] });
  }

  pluginTotals(): Promise<Rollup[]> {
    return this.#rollups.find({ level: "plugin" }, { fields: ["plugin", "count"] });
  }

  /** Most downloaded first. */
  versionTotals(skip: number, limit: number): Promise<Rollup[]> {
    // What is counted over all time has no start; asked for, it lets the index give the order.
    const filter = { level: "version", start: null } as const;
    return this.#rollups.find(filter, { sort: mostFirst, skip, limit, fields: ["plugin", "version", "count"] });
  }

  /**
   * Gives a rank to some of the counts that an earlier release left without one.
   * @returns false if there are more
   */
  async rank(): Promise<boolean> {
    const old = await this.#rollups.find(
      { level: { $in: rankedLevels }, rank: null },
      { limit: rankAtOnce, fields: ["count"] },
    );
    await this.#rollups.updateEach(
      old.map(({ _id, count }) => ({ filter: { _id }, update: { $max: { rank: count } } })),
    );
    return old.length < rankAtOnce;
  }

  /** From one start up to, but not with, another. */
  between(level: Level, from: Date, to?: Date): Promise<Rollup[]> {
    const start = to === undefined ? { $gte: from } : { $gte: from, $lt: to };
    return this.#rollups.find({ level, start }, { fields: ["plugin", "count"] });
  }

  unannounced(limit: number): Promise<Rollup[]> {
    return this.#rollups.find({ unannounced: true }, { limit });
  }

  /** As to be told, also those that somebody is telling at this moment. */
  async markAll(): Promise<void> {
    await this.#rollups.updateMany({ level: "plugin" }, { $set: { unannounced: true }, $inc: { changes: 1 } });
  }

  /** Only where nothing was counted since they were read. */
  async markAnnounced(totals: readonly Rollup[]): Promise<void> {
    await this.#rollups.updateEach(
      totals.map(({ _id, changes }) => ({
        filter: changes === undefined ? { _id } : { _id, changes },
        update: { $unset: { unannounced: true } },
      })),
    );
  }

  /**
   * Removes some of the counts that nothing is added to and nobody asks for any more; what they add up to stays.
   * @returns false if there are more
   */
  async trim(closed: Date, fine: Date): Promise<boolean> {
    const old = [
      ...slices.map((level) => [level, closed] as const),
      ...fineLevels.map((level) => [level, fine] as const),
    ];
    let all = true;
    for (const [level, before] of old) all = (await this.#trim(level, before)) && all;
    return all;
  }

  async #trim(level: string, before: Date): Promise<boolean> {
    for (let round = 0; round < maxRounds; round++) {
      const filter = { level, start: { $lt: before } } as const;
      const old = await this.#rollups.find(filter, { limit: trimAtOnce, fields: ["level"] });
      if (old.length > 0) await this.#rollups.deleteMany({ _id: { $in: old.map(({ _id }) => _id) } });
      if (old.length < trimAtOnce) return true;
    }
    return false;
  }
}
