import type { Collection, Documents, Update } from "@registry/documents";
import type { Level, Rollup } from "../model/rollup.ts";
import { countAt } from "./rollups.ts";

/** Counts as a rebuild looks at them: level by level, and the one way in which a count may go down. */
export class RollupRepair {
  readonly #rollups: Collection<Rollup>;

  private constructor(rollups: Collection<Rollup>) {
    this.#rollups = rollups;
  }

  static async open(documents: Documents): Promise<RollupRepair> {
    return new RollupRepair(await documents.collection<Rollup>({ name: "rollups", indexes: [] }));
  }

  /** In order of id, which begins with the level. @param after the last id of the page before; empty for the first one */
  page(level: Level, after: string, limit: number): Promise<Rollup[]> {
    // The one place of that level has no more to its id than the level's name.
    const first = level === "searches" ? { $gte: level } : { $gt: `${level}|` };
    const _id = { ...(after === "" ? first : { $gt: after }), $lt: `${level}}` };
    return this.#rollups.find({ _id }, { sort: [["_id", 1]], limit });
  }

  async countsOf(ids: readonly string[]): Promise<Map<string, number>> {
    const found = ids.length === 0 ? [] : await this.#rollups.find({ _id: { $in: ids } }, { fields: ["count"] });
    return new Map(found.map(({ _id, count }) => [_id, count]));
  }

  /** Only where it is still what was seen; 0 takes it away. What is told of a plugin is told again. */
  async lower({ _id, level }: Pick<Rollup, "_id" | "level">, seen: number, count: number): Promise<void> {
    const before = { _id, count: seen };
    if (count === 0) return void (await this.#rollups.deleteOne(before));
    const $set = countAt(level, count);
    const update: Update =
      level === "plugin" ? { $set: { ...$set, unannounced: true }, $inc: { changes: 1 } } : { $set };
    await this.#rollups.updateOne(before, update);
  }
}
