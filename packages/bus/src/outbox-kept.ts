import { isRegistryError } from "@registry/domain";
import type { RelayOptions } from "./outbox.ts";
import { eventOf, type KeptEvent, type OutboxDocument, type OutboxEvent, type RelayedEvent } from "./outbox-event.ts";
import type { OutboxCollection } from "./outbox-store.ts";
import { messageIdOf } from "./rules.ts";

const sevenDaysMs = 7 * 24 * 3600 * 1000;
const pageSize = 100;
const trimAtOnce = 1000;
const maxPages = 10_000;
/** What the bus takes longer for is waited for beside the rest; of such no more at once, for the sake of memory. */
const slowMs = 2000;
const mostSlow = 4096;
/** Generation of events that are to be sent once more on purpose, before the key of that purpose. */
const replayed = "again/";

/** Which relayed events are to be sent once more. */
export interface Replay {
  /** Unique to this wish. */
  readonly key: string;
  /** By the time at which they were relayed. */
  readonly since: Date;
}

type Generations = string | { readonly $lt: string } | { readonly $gt: string };

const keyOf = ({ _id, generation }: RelayedEvent): string => JSON.stringify([_id, generation]);

/** What one collection's relay has sent: kept for days, sent again where the bus lost it or somebody wishes so. */
export class KeptEvents {
  readonly #options: RelayOptions;
  readonly #keepMs: number;
  /** By event and generation: sent again, and not answered for yet. */
  readonly #underWay = new Map<string, Promise<unknown>>();

  constructor(options: RelayOptions) {
    this.#options = options;
    this.#keepMs = Math.max(options.keepMs ?? sevenDaysMs, sevenDaysMs);
  }

  /** Before it is taken from what is pending, so that it is always in one of both. */
  async add(event: OutboxEvent, generation: string): Promise<void> {
    await this.#options.kept.insertNew([this.#keep({ ...event, relayedAt: this.#options.clock.now(), generation })]);
  }

  #keep(event: KeptEvent): RelayedEvent {
    return { ...event, _id: messageIdOf(event), from: this.#options.collection.name };
  }

  /** @returns how many events will be sent; what was sent to one group alone is not among them */
  async replay({ key, since }: Replay): Promise<number> {
    const from = this.#options.collection.name;
    const filter = { from, relayedAt: { $gte: since }, again: { $exists: false } } as const;
    return (await this.#options.kept.updateMany(filter, { $set: { generation: replayed + key } })).modifiedCount;
  }

  /**
   * Sends what another generation of the bus was given, and what somebody wishes, oldest first. What the bus takes long for
   * may still be under way afterwards.
   * @throws kind `unavailable`
   */
  async resend(generation: string, open: () => boolean): Promise<void> {
    for (const other of [{ $lt: generation }, { $gt: generation }]) {
      for (let page = 0; page < maxPages && open() && this.#underWay.size < mostSlow; page++) {
        const [first] = await this.#next(other, 1);
        if (first === undefined) break;
        const lost = await this.#next(first.generation, pageSize);
        await this.#begin(lost, generation);
      }
    }
  }

  /** Resolves when nothing is under way any more. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#underWay.values());
  }

  async #next(generation: Generations, limit: number): Promise<RelayedEvent[]> {
    const found = await this.#find(generation, limit + this.#underWay.size);
    return found.filter((event) => !this.#underWay.has(keyOf(event))).slice(0, limit);
  }

  /** Resolves when they are sent, or take long. @throws kind `unavailable` */
  async #begin(events: readonly RelayedEvent[], generation: string): Promise<void> {
    const works = events.map((event) => {
      const work = this.#resend(event, generation).finally(() => this.#underWay.delete(keyOf(event)));
      this.#underWay.set(keyOf(event), work);
      return work;
    });
    let timer: NodeJS.Timeout | undefined;
    const slow = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, slowMs);
    });
    // One that fails later is found again as it was.
    const sent = Promise.allSettled(works).then(() => Promise.all(works));
    sent.catch(() => undefined);
    await Promise.race([sent, slow]).finally(() => clearTimeout(timer));
  }

  #find(generation: Generations, limit: number): Promise<RelayedEvent[]> {
    const from = this.#options.collection.name;
    // Within one generation the index holds them in order of time.
    const sort = typeof generation === "string" ? { sort: [["relayedAt", 1]] as const } : {};
    return this.#options.kept.find({ from, generation }, { ...sort, limit });
  }

  async #resend(kept: RelayedEvent, generation: string): Promise<void> {
    const { bus, log } = this.#options;
    const event = eventOf(kept);
    const again = kept.generation.startsWith(replayed)
      ? { again: { key: kept.generation.slice(replayed.length) } }
      : {};
    try {
      await bus.publish({ ...event, ...again });
    } catch (error) {
      if (!isRegistryError(error) || error.kind !== "invalid_argument") throw error;
      log.error({ eventId: event.id, subject: event.subject, err: error }, "event refused by the bus, put aside");
    }
    // Not where a wish came in between.
    const { _id } = kept;
    await this.#options.kept.updateOne({ _id, generation: kept.generation }, { $set: { generation } });
  }

  /** Lets go of what is old, and takes over what documents still hold themselves. */
  async tidy(): Promise<void> {
    await this.#adopt(this.#options.collection);
    const { clock, kept, collection } = this.#options;
    const filter = { from: collection.name, relayedAt: { $lt: new Date(clock.now().getTime() - this.#keepMs) } };
    for (let page = 0; page < maxPages; page++) {
      const old = await kept.find(filter, { limit: trimAtOnce, fields: ["_id"] });
      if (old.length > 0) await kept.deleteMany({ _id: { $in: old.map(({ _id }) => _id) } });
      if (old.length < trimAtOnce) return;
    }
  }

  async #adopt(collection: OutboxCollection): Promise<void> {
    for (let page = 0; page < maxPages; page++) {
      const filter = { "outbox.kept.relayedAt": { $gt: new Date(0) } };
      const found = await collection.find(filter, { limit: pageSize, fields: ["outbox"] });
      for (const document of found) await this.#adoptFrom(collection, document);
      if (found.length < pageSize) return;
    }
  }

  async #adoptFrom(collection: OutboxCollection, { _id, outbox }: OutboxDocument): Promise<void> {
    const kept = outbox?.kept ?? [];
    await this.#options.kept.insertNew(kept.map((event) => this.#keep(event)));
    await collection.updateOne({ _id }, { $pull: { "outbox.kept": { id: { $in: kept.map(({ id }) => id) } } } });
  }
}
