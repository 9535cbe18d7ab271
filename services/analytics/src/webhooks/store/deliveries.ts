import type { Collection, CollectionSpec, Documents } from "@registry/documents";
import { type Attempt, type Delivery, withAttempt } from "../model/delivery.ts";
import type { Position } from "../model/paging.ts";

const spec: CollectionSpec = {
  name: "webhook_deliveries",
  indexes: [
    {
      name: "log",
      keys: [
        ["webhook", 1],
        ["createdAt", -1],
        ["number", -1],
      ],
    },
    {
      name: "due",
      keys: [
        ["webhook", 1],
        ["state", 1],
        ["nextAt", 1],
        ["number", 1],
      ],
    },
    { name: "state", keys: [["state", 1]] },
    { name: "created_at", keys: [["createdAt", 1]] },
  ],
};

const trimAtOnce = 1000;
const mostTrims = 1000;

const mostHastened = 3;

const over = { nextAt: true } as const;

export class DeliveryStore {
  readonly #deliveries: Collection<Delivery>;

  private constructor(deliveries: Collection<Delivery>) {
    this.#deliveries = deliveries;
  }

  static async open(documents: Documents): Promise<DeliveryStore> {
    return new DeliveryStore(await documents.collection<Delivery>(spec));
  }

  /** Those that are there already are passed over. */
  async add(deliveries: readonly Delivery[]): Promise<void> {
    await this.#deliveries.insertNew(deliveries);
  }

  find(webhook: string, id: string): Promise<Delivery | null> {
    return this.#deliveries.findOne({ _id: id, webhook });
  }

  /** Newest first. */
  page(webhook: string, { at, skip }: Position, limit: number): Promise<Delivery[]> {
    const filter = at === undefined ? { webhook } : { webhook, createdAt: { $lte: at } };
    const sort = [
      ["createdAt", -1],
      ["number", -1],
    ] as const;
    return this.#deliveries.find(filter, { sort, skip, limit });
  }

  /** Those whose time has come, in order. */
  due(webhook: string, now: Date, limit: number): Promise<Delivery[]> {
    const sort = [
      ["nextAt", 1],
      ["number", 1],
    ] as const;
    return this.#deliveries.find({ webhook, state: "pending", nextAt: { $lte: now } }, { sort, limit });
  }

  /** When the next one's time comes. */
  async nextAt(webhook: string): Promise<Date | undefined> {
    const options = { sort: [["nextAt", 1]], limit: 1, fields: ["nextAt"] } as const;
    return (await this.#deliveries.find({ webhook, state: "pending" }, options))[0]?.nextAt;
  }

  async delivered(delivery: Delivery, attempt: Attempt): Promise<void> {
    const { _id, again } = delivery;
    const attempts = withAttempt(delivery, attempt);
    const set = { state: "delivered", attempts };
    const found = await this.#deliveries.updateOne({ _id, again }, { $set: set, $unset: over });
    // It was asked for again while it was under way.
    if (found.matchedCount === 0) await this.#deliveries.updateOne({ _id }, { $set: { attempts } });
  }

  /** @param nextAt absent: it is given up */
  async failed(delivery: Delivery, attempt: Attempt, nextAt: Date | undefined): Promise<void> {
    const { _id, again } = delivery;
    const attempts = withAttempt(delivery, attempt);
    const failures = delivery.failures + 1;
    const found = await this.#deliveries.updateOne(
      { _id, again, state: "pending" },
      nextAt === undefined
        ? { $set: { attempts, failures, state: "failed" }, $unset: over }
        : { $set: { attempts, failures, nextAt } },
    );
    // It was asked for again, or cancelled, while it was under way.
    if (found.matchedCount === 0) await this.#deliveries.updateOne({ _id }, { $set: { attempts } });
  }

  /** @returns the delivery as it is then */
  restart(id: string, now: Date): Promise<Delivery | null> {
    const fresh = { $set: { state: "pending", nextAt: now, hastened: 0, failures: 0 }, $inc: { again: 1 } } as const;
    return this.#deliveries.findOneAndUpdate({ _id: id }, fresh, { returnDocument: "after" });
  }

  /** What was never told is as if it had never been. */
  async withhold({ _id, attempts }: Delivery): Promise<void> {
    if (attempts.length === 0) await this.#deliveries.deleteOne({ _id });
    else await this.#deliveries.updateOne({ _id, state: "pending" }, { $set: { state: "cancelled" }, $unset: over });
  }

  /** All that waits, but for pings. */
  async cancelAll(webhook: string): Promise<void> {
    const waiting = { webhook, state: "pending", number: { $gt: 0 } };
    await this.#deliveries.updateMany(waiting, { $set: { state: "cancelled" }, $unset: over });
  }

  /** What waits has its turn now, since its receiver works again: so often, and no more, since it may be why it fails. */
  async hasten(webhook: string, now: Date): Promise<void> {
    const waiting = { webhook, state: "pending", nextAt: { $gt: now }, hastened: { $lt: mostHastened } };
    await this.#deliveries.updateMany(waiting, { $set: { nextAt: now }, $inc: { hastened: 1 } });
  }

  pending(): Promise<number> {
    return this.#deliveries.countDocuments({ state: "pending" });
  }

  async removeAll(webhook: string): Promise<void> {
    await this.#deliveries.deleteMany({ webhook });
  }

  /** Removes what is older, some at a time. */
  async trim(before: Date): Promise<void> {
    for (let round = 0; round < mostTrims; round++) {
      const options = { sort: [["createdAt", 1]], limit: trimAtOnce, fields: ["webhook"] } as const;
      const old = await this.#deliveries.find({ createdAt: { $lt: before } }, options);
      if (old.length > 0) await this.#deliveries.deleteMany({ _id: { $in: old.map(({ _id }) => _id) } });
      if (old.length < trimAtOnce) return;
    }
  }
}
