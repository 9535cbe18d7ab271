import type { Collection, Documents } from "@registry/documents";
import type { Batch } from "../model/batch.ts";

/** What was or will be stored and may not be counted yet. */
export class Batches {
  readonly #batches: Collection<Batch>;

  private constructor(batches: Collection<Batch>) {
    this.#batches = batches;
  }

  static async open(documents: Documents): Promise<Batches> {
    const indexes = [{ name: "since", keys: [["since", 1]] as const }];
    return new Batches(await documents.collection<Batch>({ name: "batches", indexes }));
  }

  /** To be done before the events are stored. */
  begin(batch: Batch): Promise<void> {
    return this.#batches.insertOne(batch);
  }

  /** Oldest first. */
  before(time: Date, limit: number): Promise<Batch[]> {
    return this.#batches.find({ since: { $lt: time } }, { sort: [["since", 1]], limit });
  }

  /** To be done once they are counted. */
  async end(ids: readonly string[]): Promise<void> {
    if (ids.length > 0) await this.#batches.deleteMany({ _id: { $in: ids } });
  }
}
