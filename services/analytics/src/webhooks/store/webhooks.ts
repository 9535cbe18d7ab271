import {
  type Collection,
  type CollectionSpec,
  type Documents,
  DuplicateKeyError,
  type Update,
} from "@registry/documents";
import { RegistryError } from "@registry/domain";
import type { Position } from "../model/paging.ts";
import type { Webhook } from "../model/webhook.ts";

const spec: CollectionSpec = {
  name: "webhooks",
  indexes: [
    {
      name: "owner_slot",
      keys: [
        ["ownerKey", 1],
        ["slot", 1],
      ],
      unique: true,
    },
    {
      name: "owner_created_at",
      keys: [
        ["ownerKey", 1],
        ["createdAt", 1],
      ],
    },
    { name: "created_at", keys: [["createdAt", 1]] },
    { name: "state", keys: [["state", 1]] },
    {
      name: "due_at",
      keys: [
        ["dueAt", 1],
        ["leasedUntil", 1],
      ],
    },
  ],
};

/** Each slot that was taken meanwhile means that somebody else got one. */
const mostAttempts = 100;

export class WebhookStore {
  readonly #webhooks: Collection<Webhook>;

  private constructor(webhooks: Collection<Webhook>) {
    this.#webhooks = webhooks;
  }

  static async open(documents: Documents): Promise<WebhookStore> {
    return new WebhookStore(await documents.collection<Webhook>(spec));
  }

  /**
   * Exact, however many are made at once.
   * @param most that the owner may have
   * @throws `conflict`, reason `TOO_MANY_WEBHOOKS`
   */
  async insert(webhook: Omit<Webhook, "slot">, most: number): Promise<Webhook> {
    for (let attempt = 0; attempt < mostAttempts; attempt++) {
      const slot = await this.#freeSlot(webhook.ownerKey, most);
      if (slot === undefined) break;
      try {
        await this.#webhooks.insertOne({ ...webhook, slot });
        return { ...webhook, slot };
      } catch (error) {
        if (!(error instanceof DuplicateKeyError)) throw error;
      }
    }
    const message = `At most ${most} webhooks (LIMIT_WEBHOOKS_PER_OWNER) for a user or an organisation; delete one first`;
    throw new RegistryError("conflict", "TOO_MANY_WEBHOOKS", message);
  }

  async #freeSlot(ownerKey: string, most: number): Promise<number | undefined> {
    const filter = { ownerKey, slot: { $lt: most } };
    const taken = await this.#webhooks.find(filter, { limit: most, fields: ["slot"] });
    const slots = new Set(taken.map(({ slot }) => slot));
    return Array.from({ length: most }, (_, slot) => slot).find((slot) => !slots.has(slot));
  }

  find(id: string): Promise<Webhook | null> {
    return this.#webhooks.findOne({ _id: id });
  }

  /** Oldest first. @param ownerKey absent: of everybody */
  page(ownerKey: string | undefined, { at, skip }: Position, limit: number): Promise<Webhook[]> {
    const since = { createdAt: { $gte: at ?? new Date(0) } };
    const filter = ownerKey === undefined ? since : { ownerKey, ...since };
    return this.#webhooks.find(filter, { sort: [["createdAt", 1]], skip, limit });
  }

  /** @returns null where it is gone */
  update(id: string, update: Update): Promise<Webhook | null> {
    return this.#webhooks.findOneAndUpdate({ _id: id }, update, { returnDocument: "after" });
  }

  /** @returns null where it is gone, or has another secret already */
  rotate(
    { _id, secret }: Webhook,
    next: Pick<Webhook, "secret" | "oldSecrets" | "updatedAt">,
  ): Promise<Webhook | null> {
    return this.#webhooks.findOneAndUpdate({ _id, secret }, { $set: next }, { returnDocument: "after" });
  }

  async remove(id: string): Promise<boolean> {
    return (await this.#webhooks.deleteOne({ _id: id })) > 0;
  }

  /** In the order of their ids. */
  activeAfter(id: string, limit: number): Promise<Webhook[]> {
    return this.#webhooks.find({ state: "active", _id: { $gt: id } }, { sort: [["_id", 1]], limit });
  }

  /** Something of theirs is due. */
  async wake(ids: readonly string[], now: Date): Promise<void> {
    await this.#webhooks.updateMany({ _id: { $in: ids } }, { $inc: { wakes: 1 }, $min: { dueAt: now } });
  }

  /** Those of these that are not there any more. */
  async goneOf(ids: readonly string[]): Promise<string[]> {
    const there = await this.#webhooks.find({ _id: { $in: ids } }, { fields: ["slot"] });
    const known = new Set(there.map(({ _id }) => _id));
    return ids.filter((id) => !known.has(id));
  }

  /** Those on which nobody works although something is due, longest first. @param failing those alone, or the others */
  due(now: Date, failing: boolean, limit: number): Promise<Webhook[]> {
    const filter = { dueAt: { $lte: now }, leasedUntil: { $lte: now }, failingSince: { $exists: failing } };
    return this.#webhooks.find(filter, { sort: [["dueAt", 1]], limit, fields: ["dueAt", "ownerKey"] });
  }

  /** @returns null where another replica works on it */
  lease(id: string, worker: string, now: Date, leasedUntil: Date): Promise<Webhook | null> {
    const free = { _id: id, leasedUntil: { $lte: now } };
    return this.#webhooks.findOneAndUpdate(free, { $set: { worker, leasedUntil } }, { returnDocument: "after" });
  }

  /** The webhook as it is now. @returns null where it is gone, or another replica works on it */
  renew(id: string, worker: string, leasedUntil: Date): Promise<Webhook | null> {
    return this.#webhooks.findOneAndUpdate({ _id: id, worker }, { $set: { leasedUntil } }, { returnDocument: "after" });
  }

  /** Leaves it to any replica, at that time, if nothing became due since it was read. */
  async release({ _id, worker, wakes }: Webhook, dueAt: Date | undefined): Promise<boolean> {
    const free = { leasedUntil: new Date(0), worker: "" };
    const update =
      dueAt === undefined ? { $set: free, $unset: { dueAt: true } as const } : { $set: { ...free, dueAt } };
    return (await this.#webhooks.updateOne({ _id, worker, wakes }, update)).matchedCount > 0;
  }

  /** Leaves it to any replica, at that time. */
  async leave(id: string, worker: string, dueAt: Date): Promise<void> {
    const free = { leasedUntil: new Date(0), worker: "", dueAt };
    await this.#webhooks.updateOne({ _id: id, worker }, { $set: free });
  }

  /**
   * Since when something is due that nobody works on; undefined where nothing is. Of webhooks that fail nothing counts, since
   * they wait for each other's receivers.
   */
  async oldestDue(now: Date): Promise<Date | undefined> {
    const [first] = await this.due(now, false, 1);
    return first?.dueAt;
  }

  /** Of the only process that there is: what it worked on in an earlier life is free. */
  async releaseAll(): Promise<void> {
    await this.#webhooks.updateMany({ leasedUntil: { $gt: new Date(0) } }, { $set: { leasedUntil: new Date(0) } });
  }

  /** An attempt failed; of no account where the webhook leads elsewhere by now. */
  async fails({ _id, url }: Webhook, now: Date, restUntil: Date | undefined): Promise<void> {
    await this.#webhooks.updateOne({ _id, url, failingSince: null }, { $set: { failingSince: now } });
    if (restUntil !== undefined) await this.#webhooks.updateOne({ _id, url }, { $set: { restUntil } });
  }

  /** An attempt succeeded. @returns since when it had been failing, where it had */
  async works(id: string): Promise<Date | undefined> {
    const failing = { _id: id, failingSince: { $exists: true } };
    const before = await this.#webhooks.findOneAndUpdate(
      failing,
      { $unset: { failingSince: true, restUntil: true } },
      {
        returnDocument: "before",
      },
    );
    return before?.failingSince;
  }

  /**
   * @param webhook as it was when its receiver was asked
   * @returns false where it is not active any more, leads elsewhere or was given another chance
   */
  async disable({ _id, url, failingSince }: Webhook, state: "failing" | "gone", now: Date): Promise<boolean> {
    const same = { _id, url, state: "active", ...(state === "failing" ? { failingSince } : {}) };
    return (await this.#webhooks.updateOne(same, { $set: { state, updatedAt: now } })).matchedCount > 0;
  }
}
