import { createHash } from "node:crypto";
import { type Event, type Outbox, type OutboxEvent, outboxIndexes, pendingEvent } from "@registry/bus";
import type { Collection, CollectionSpec, Documents, Filter, Update } from "@registry/documents";

/** An event that one group could not handle; afterwards, for some weeks, that this is over. */
export interface DeadLetter {
  /** Of group and event, so that the same one again is the same document. */
  readonly _id: string;
  readonly group: string;
  readonly eventId: string;
  /** Whole, as it was; gone once nobody needs it any more. */
  readonly event?: OutboxEvent;
  /** Of two tellings the one with more is newer. */
  readonly attempts: number;
  readonly cause: string;
  /** True where it is no event, and nothing can handle it; `event` shows it as well as may be. */
  readonly unreadable?: boolean;
  readonly state: "parked" | "retrying" | "settled" | "dropped";
  /** Of what is parked or being retried. */
  readonly open?: true;
  readonly firstParkedAt: Date;
  readonly parkedAt: Date;
  readonly retriedAt?: Date;
  /** Of what is parked: when it is retried by itself, since what it needs was away. */
  readonly retryAt?: Date;
  /** When it was settled or dropped. */
  readonly closedAt?: Date;
  readonly outbox?: Outbox;
}

/** Where one is in the list of all that are open. */
export interface ListedAt {
  readonly firstParkedAt: Date;
  readonly id: string;
}

export interface Parked {
  readonly group: string;
  readonly event: OutboxEvent;
  readonly attempts: number;
  readonly cause: string;
  readonly unreadable: boolean;
  /** When the group gave it up. */
  readonly at: Date;
  /** When it is worth another try; absent where somebody has to decide. */
  readonly retryAt?: Date;
}

const spec: CollectionSpec = {
  name: "dead_letters",
  indexes: [
    {
      name: "listed",
      keys: [
        ["open", 1],
        ["firstParkedAt", 1],
        ["_id", 1],
      ],
    },
    {
      name: "listed_of_group",
      keys: [
        ["group", 1],
        ["open", 1],
        ["firstParkedAt", 1],
        ["_id", 1],
      ],
    },
    { name: "closed_at", keys: [["closedAt", 1]] },
    { name: "retry_at", keys: [["retryAt", 1]] },
    ...outboxIndexes,
  ],
};

const readFields = [
  "group",
  "eventId",
  "event",
  "attempts",
  "cause",
  "unreadable",
  "state",
  "firstParkedAt",
  "parkedAt",
  "retryAt",
] as const;

export function deadLetterId(group: string, eventId: string): string {
  return createHash("sha256")
    .update(JSON.stringify([group, eventId]))
    .digest("hex")
    .slice(0, 40);
}

/** What groups could not handle. Tellings may come again and in any order: the number of attempts says what is newer. */
export class DeadLetters {
  readonly collection: Collection<DeadLetter>;

  private constructor(collection: Collection<DeadLetter>) {
    this.collection = collection;
  }

  static async open(documents: Documents): Promise<DeadLetters> {
    return new DeadLetters(await documents.collection<DeadLetter>(spec));
  }

  async park({ group, event, attempts, cause, at, retryAt, unreadable }: Parked, now: Date): Promise<void> {
    const _id = deadLetterId(group, event.id);
    const shown = { event, unreadable, attempts, cause, state: "parked", open: true, parkedAt: now } as const;
    const change: Update =
      retryAt === undefined
        ? { $set: shown, $unset: { closedAt: true, retryAt: true } }
        : { $set: { ...shown, retryAt }, $unset: { closedAt: true } };
    // What was dropped stays so, whatever comes of a retry that was under way.
    const older = { attempts: { $lt: attempts }, state: { $ne: "dropped" } } as const;
    // Sent to everybody once more, it is counted from the first attempt again.
    const over = { state: "settled", closedAt: { $lt: at } } as const;
    const known = { $and: [{ _id }, { $or: [older, over] }] } as const;
    const renew = () => this.collection.updateOne(known, change);
    if ((await renew()).matchedCount > 0) return;
    const fresh = { ...shown, _id, group, eventId: event.id, firstParkedAt: now };
    const inserted = await this.collection.insertNew([retryAt === undefined ? fresh : { ...fresh, retryAt }]);
    // An older telling may have come in between.
    if (inserted.length === 0) await renew();
  }

  /** The retry that began after so many attempts came through. */
  async settle(group: string, eventId: string, attempts: number, now: Date): Promise<void> {
    const _id = deadLetterId(group, eventId);
    const over = { attempts, state: "settled", closedAt: now } as const;
    const close = () =>
      this.collection.updateOne(
        { _id, attempts: { $lte: attempts }, state: { $ne: "dropped" } },
        { $set: over, $unset: { open: true, event: true, retryAt: true } },
      );
    if ((await close()).matchedCount > 0) return;
    const unseen = { ...over, _id, group, eventId, cause: "", firstParkedAt: now, parkedAt: now };
    const inserted = await this.collection.insertNew([unseen]);
    if (inserted.length === 0) await close();
  }

  find(id: string): Promise<DeadLetter | null> {
    return this.collection.findOne({ _id: id, open: true }, { fields: readFields });
  }

  /**
   * Those that nobody has settled or dropped, longest parked first.
   * @param after where the page before ended, wherever that one is by now
   */
  async page(group: string, after: ListedAt, limit: number): Promise<DeadLetter[]> {
    const { firstParkedAt, id } = after;
    const same = await this.#listed(group, { firstParkedAt, _id: { $gt: id } }, limit);
    const left = limit - same.length;
    return left === 0
      ? same
      : [...same, ...(await this.#listed(group, { firstParkedAt: { $gt: firstParkedAt } }, left))];
  }

  #listed(group: string, after: Filter, limit: number): Promise<DeadLetter[]> {
    const filter = { ...(group === "" ? {} : { group }), open: true, ...after };
    const fields = readFields.flatMap((field) =>
      field === "event" ? ["event.id", "event.subject", "event.source", "event.about", "event.time"] : [field],
    );
    const sort = [
      ["firstParkedAt", 1],
      ["_id", 1],
    ] as const;
    return this.collection.find(filter, { sort, limit, fields });
  }

  /** Those that are to be retried by themselves, longest due first. */
  due(now: Date, limit: number): Promise<DeadLetter[]> {
    const fields = [...readFields];
    return this.collection.find({ retryAt: { $lte: now } }, { sort: [["retryAt", 1]], limit, fields });
  }

  count(group?: string): Promise<number> {
    return this.collection.countDocuments({ open: true, ...(group === undefined ? {} : { group }) });
  }

  /** @returns null where it is not parked, or its last retry began a moment ago */
  retry(letter: DeadLetter, event: Event, now: Date, staleBefore: Date): Promise<DeadLetter | null> {
    const { _id, attempts } = letter;
    const free = { $or: [{ state: "parked" }, { state: "retrying", retriedAt: { $lt: staleBefore } }] } as const;
    return this.collection.findOneAndUpdate(
      { $and: [{ _id, open: true, attempts }, free] },
      {
        $set: { state: "retrying", retriedAt: now },
        $unset: { retryAt: true },
        $push: { "outbox.pending": pendingEvent(event) },
      },
      { returnDocument: "after" },
    );
  }

  /** With a retry that has not gone out yet. @returns false where it was over already */
  async drop(id: string, now: Date): Promise<boolean> {
    const over = {
      $set: { state: "dropped", closedAt: now },
      $unset: { open: true, event: true, outbox: true, retryAt: true },
    } as const;
    return (await this.collection.updateOne({ _id: id, open: true }, over)).matchedCount > 0;
  }

  /** Lets go of what is long over: no telling of it can come any more. */
  async forgetBefore(time: Date): Promise<void> {
    await this.collection.deleteMany({ closedAt: { $lt: time } });
  }
}
