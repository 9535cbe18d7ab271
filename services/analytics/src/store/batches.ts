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

  /**
   * To be done once its events are stored. A replica whose clock is ahead may have taken it for left behind before, and
   * have counted what there was; then it begins once more.
   */
  async keep(batch: Batch): Promise<Batch> {
    const stored = { ...batch, stored: true } as const;
    const { matchedCount } = await this.#batches.updateOne({ _id: batch._id }, { $set: { stored: true } });
    if (matchedCount === 0) await this.#batches.insertNew([stored]);
    return stored;
  }

  /** Oldest first. */
  before(time: Date, limit: number): Promise<Batch[]> {
    return this.#batches.find({ since: { $lt: time } }, { sort: [["since", 1]], limit });
  }

  /** To be done once they are counted. One whose events were stored since it was read stays. */
  async end(batches: readonly Batch[]): Promise<void> {
    const { whole = [], open = [] } = Object.groupBy(batches, ({ stored }) => (stored === true ? "whole" : "open"));
    const idsOf = (some: readonly Batch[]) => ({ $in: some.map(({ _id }) => _id) });
    if (whole.length > 0) await this.#batches.deleteMany({ _id: idsOf(whole) });
    if (open.length > 0) await this.#batches.deleteMany({ _id: idsOf(open), stored: { $exists: false } });
  }
}
