import type { Collection, Documents } from "@registry/documents";
import type { Place } from "../model/rollup.ts";
import type { Usage } from "../model/usage.ts";

const trimAtOnce = 1000;
/** In one go: more than comes in between two sweeps, and not so much that other writes wait for long. */
const maxRounds = 20;
/** Leaves of earlier releases, which marked single events as not counted yet. */
const oldLeaves = [
  { $gte: "hour|", $lt: "hour}" },
  { $gte: "search-hour|", $lt: "search-hour}" },
] as const;

/** Single downloads and searches of the last days. */
export class Usages {
  readonly #usages: Collection<Usage>;

  private constructor(usages: Collection<Usage>) {
    this.#usages = usages;
  }

  static async open(documents: Documents): Promise<Usages> {
    const collection = await documents.collection<Usage>({
      name: "usages",
      indexes: [
        { name: "leaf", keys: [["leaf", 1]] },
        { name: "time", keys: [["time", 1]] },
      ],
    });
    return new Usages(collection);
  }

  /** @returns those that were not there */
  async insertNew(usages: readonly Usage[]): Promise<Usage[]> {
    const positions = usages.length === 0 ? [] : await this.#usages.insertNew(usages);
    return positions.map((position) => usages[position]).filter((usage) => usage !== undefined);
  }

  countIn(place: Place): Promise<number> {
    return this.#usages.countDocuments({ leaf: place._id });
  }

  /** Those that an earlier release stored and did not mark as counted. */
  async pending(limit: number): Promise<Usage[]> {
    for (const leaf of oldLeaves) {
      const found = await this.#usages.find({ leaf, pendingSince: { $exists: true } }, { limit });
      if (found.length > 0) return found;
    }
    return [];
  }

  async markCounted(usages: readonly Usage[]): Promise<void> {
    await this.#usages.updateMany({ _id: { $in: usages.map(({ _id }) => _id) } }, { $unset: { pendingSince: true } });
  }

  /**
   * Removes some of what happened before, which is to be counted already.
   * @returns false if there is more
   */
  async trim(before: Date): Promise<boolean> {
    for (let round = 0; round < maxRounds; round++) {
      const old = await this.#usages.find({ time: { $lt: before } }, { limit: trimAtOnce, fields: ["time"] });
      if (old.length > 0) await this.#usages.deleteMany({ _id: { $in: old.map(({ _id }) => _id) } });
      if (old.length < trimAtOnce) return true;
    }
    return false;
  }
}
