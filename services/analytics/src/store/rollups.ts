import { type Collection, type Documents, DuplicateKeyError, type Filter, type Update } from "@registry/documents";
import { type Level, type Place, pluginTotalId, type Rollup, searchesId } from "../model/rollup.ts";

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
          name: "level_start",
          keys: [
            ["level", 1],
            ["start", 1],
          ],
        },
        {
          name: "level_count",
          keys: [
            ["level", 1],
            ["count", -1],
          ],
        },
        { name: "unannounced", keys: [["unannounced", 1]] },
      ],
    });
    return new Rollups(collection);
  }

  /** Counts only grow, so of two replicas that count at once the one that saw more is right. */
  async raise(place: Place, count: number): Promise<void> {
    const { _id, ...fields } = place;
    const $setOnInsert = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
    const update: Update =
      place.level === "plugin"
        ? { $max: { count }, $setOnInsert, $inc: { changes: 1 }, $set: { unannounced: true } }
        : { $max: { count }, $setOnInsert };
    try {
      await this.#rollups.updateOne({ _id }, update, { upsert: true });
    } catch (error) {
      if (!(error instanceof DuplicateKeyError)) throw error;
      await this.#rollups.updateOne({ _id }, update);
    }
  }

  async sumBelow(place: Place): Promise<number> {
    const below = await this.#rollups.find({ up: place._id }, { fields: ["count"] });
    return below.reduce((sum, { count }) => sum + count, 0);
  }

  async ofPlugin(plugin: string): Promise<number> {
    return (await this.#rollups.findOne({ _id: pluginTotalId(plugin) }, { fields: ["count"] }))?.count ?? 0;
  }

  async searches(): Promise<number> {
    return (await this.#rollups.findOne({ _id: searchesId }, { fields: ["count"] }))?.count ?? 0;
  }

  versionsOf(plugin: string): Promise<Rollup[]> {
    return this.#rollups.find({ up: pluginTotalId(plugin) }, { fields: ["version", "count"] });
  }

  pluginTotals(): Promise<Rollup[]> {
    return this.#rollups.find({ level: "plugin" }, { fields: ["plugin", "count"] });
  }

  /** Most downloaded first. */
  versionTotals(skip: number, limit: number): Promise<Rollup[]> {
    const sort = [
      ["count", -1],
      ["_id", 1],
    ] as const;
    return this.#rollups.find({ level: "version" }, { sort, skip, limit, fields: ["plugin", "version", "count"] });
  }

  /** From one start up to, but not with, another. */
  between(level: Level, from: Date, to?: Date): Promise<Rollup[]> {
    const start = to === undefined ? { $gte: from } : { $gte: from, $lt: to };
    return this.#rollups.find({ level, start }, { fields: ["plugin", "count"] });
  }

  unannounced(limit: number): Promise<Rollup[]> {
    return this.#rollups.find({ unannounced: true }, { limit });
  }

  /** Only where nothing was counted since it was read. */
  async markAnnounced({ _id, changes }: Rollup): Promise<void> {
    const filter: Filter = changes === undefined ? { _id } : { _id, changes };
    await this.#rollups.updateOne(filter, { $unset: { unannounced: true } });
  }

  /** Removes fine counts that nothing asks for any more; what they add up to stays. */
  async trim(before: Date): Promise<void> {
    for (const level of ["hour", "search-hour", "query-day"]) {
      await this.#rollups.deleteMany({ level, start: { $lt: before } });
    }
  }
}
