import type { Collection, Documents } from "@registry/documents";
import type { Place } from "../model/rollup.ts";
import type { Usage } from "../model/usage.ts";

const trimAtOnce = 2000;
const maxRounds = 10_000;

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
        { name: "topic", keys: [["topic", 1]] },
        { name: "pending_since", keys: [["pendingSince", 1]] },
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
    return this.#usages.countDocuments(place.level === "query-day" ? { topic: place._id } : { leaf: place._id });
  }

  /** Those that came before and have not been marked as counted, oldest first. */
  pending(before: Date, limit: number): Promise<Usage[]> {
    return this.#usages.find({ pendingSince: { $lt: before } }, { sort: [["pendingSince", 1]], limit });
  }

  async markCounted(usages: readonly Usage[]): Promise<void> {
    await this.#usages.updateMany({ _id: { $in: usages.map(({ _id }) => _id) } }, { $unset: { pendingSince: true } });
  }

  /** Removes what happened before; nothing of it may be pending. */
  async trim(before: Date): Promise<void> {
    for (let round = 0; round < maxRounds; round++) {
      const old = await this.#usages.find({ time: { $lt: before } }, { limit: trimAtOnce, fields: ["pendingSince"] });
      const counted = old.filter(({ pendingSince }) => pendingSince === undefined);
      if (counted.length === 0) return;
      await this.#usages.deleteMany({ _id: { $in: counted.map(({ _id }) => _id) } });
    }
  }
}
