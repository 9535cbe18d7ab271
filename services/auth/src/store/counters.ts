import type { Collection, Documents, Update } from "@registry/documents";

interface Withdrawal {
  readonly id: string;
  readonly at: Date;
}

interface Counter {
  readonly _id: string;
  readonly value: number;
  /** Of the revocation epoch: withdrawals that were begun and have not been counted yet. */
  readonly open?: readonly Withdrawal[];
  /** When the epoch was raised, the last times. */
  readonly raised?: readonly { readonly at: Date }[];
  /** Of the administrators: those who certainly are active ones. */
  readonly admins?: readonly { readonly id: number }[];
}

const epochId = "revocation_epoch";
const adminsId = "active_admins";
/** A withdrawal that takes longer was cut off by a crash and is counted by whoever sees it next. */
const withdrawalMs = 2000;
/** Longer than what was decided before a withdrawal is borne with anywhere. */
const rememberedMs = 10_000;
const mostTold = 1000;

export interface RevocationEpoch {
  readonly epoch: number;
  /** How long ago it was raised the last times, latest first, in milliseconds. */
  readonly raisedAgoMs: readonly number[];
}

/** The few single documents that all replicas agree over. */
export class Counters {
  readonly #counters: Collection<Counter>;

  private constructor(counters: Collection<Counter>) {
    this.#counters = counters;
  }

  static async open(documents: Documents): Promise<Counters> {
    return new Counters(await documents.collection<Counter>({ name: "counters", indexes: [] }));
  }

  /** A number that no user has had, from 2 on. */
  async nextUserId(): Promise<number> {
    const counter = await this.#counters.findOneAndUpdate(
      { _id: "user_id" },
      { $inc: { value: 1 } },
      { upsert: true, returnDocument: "after" },
    );
    return 1 + (counter?.value ?? 0);
  }

  async beginWithdrawal(withdrawal: Withdrawal): Promise<void> {
    const forgotten = new Date(withdrawal.at.getTime() - rememberedMs);
    await this.#counters.updateOne(
      { _id: epochId },
      { $push: { open: { ...withdrawal } }, $pull: { raised: { at: { $lt: forgotten } } }, $inc: { value: 0 } },
      { upsert: true },
    );
  }

  async endWithdrawal(id: string, at: Date): Promise<void> {
    await this.#counters.updateOne({ _id: epochId }, raise(id, at), { upsert: true });
  }

  /** The revocation epoch, after counting withdrawals that a crash cut off. */
  async epoch(now: Date): Promise<RevocationEpoch> {
    let counter = await this.#counters.findOne({ _id: epochId });
    const overdue = counter?.open?.filter((open) => now.getTime() - open.at.getTime() > withdrawalMs) ?? [];
    for (const { id } of overdue) {
      const after = await this.#counters.findOneAndUpdate({ _id: epochId }, raise(id, now), {
        returnDocument: "after",
      });
      counter = after ?? counter;
    }
    const { value = 0, raised = [] } = counter ?? {};
    const ago = raised.map(({ at }) => Math.max(0, now.getTime() - at.getTime()));
    return { epoch: value, raisedAgoMs: ago.reverse().slice(0, mostTold) };
  }

  async addAdmin(id: number): Promise<void> {
    await this.#counters.updateOne({ _id: adminsId }, { $addToSet: { admins: { id } } }, { upsert: true });
  }

  /** Takes one off the list in one step with the check that another one stays. @returns false where none would */
  async removeAdmin(id: number): Promise<boolean> {
    const { matchedCount } = await this.#counters.updateOne(
      { _id: adminsId, admins: { $elemMatch: { id: { $ne: id } } } },
      { $pull: { admins: { id } } },
    );
    return matchedCount > 0;
  }
}

const raise = (id: string, at: Date): Update => ({
  $inc: { value: 1 },
  $pull: { open: { id } },
  $push: { raised: { at } },
});
