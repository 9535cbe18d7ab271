import { isRegistryError } from "@registry/domain";
import type { KeptEvent, OutboxDocument, OutboxEvent } from "./outbox-event.ts";
import type { Bus, BusLog } from "./port.ts";

type Range<T> = { readonly $gt: T } | { readonly $lt: T };
type Key = string | number;
type OutboxFilter =
  | { readonly _id: Key }
  | { readonly _id: Key; readonly "outbox.pending.id": string }
  | { readonly _id: Key; readonly "outbox.kept.id": string }
  | { readonly "outbox.pending.id": Range<string> }
  | { readonly "outbox.kept.generation": Range<string> }
  | { readonly "outbox.kept.relayedAt": Range<Date> };
type OutboxUpdate = {
  readonly $pull:
    | { readonly "outbox.pending": { readonly id: string } }
    | { readonly "outbox.kept": { readonly id: string } }
    | { readonly "outbox.kept": { readonly relayedAt: Range<Date> } };
  readonly $push?: { readonly "outbox.pending": OutboxEvent } | { readonly "outbox.kept": KeptEvent };
};
/** The part of a collection that the relay uses; every collection of the document port has it. */
export interface OutboxCollection {
  readonly name: string;
  find(filter: OutboxFilter, options: { limit: number; fields: readonly string[] }): Promise<OutboxDocument[]>;
  updateOne(filter: OutboxFilter, update: OutboxUpdate): Promise<{ readonly modifiedCount: number }>;
}

export interface RelayOptions {
  readonly collection: OutboxCollection;
  readonly bus: Bus;
  readonly clock: { now(): Date };
  readonly log: BusLog;
  /** Pause between looks at the store when nobody kicks. Default 1000. */
  readonly intervalMs?: number;
  /** How long relayed events are kept. Default, and at least, seven days. */
  readonly keepMs?: number;
  /** Documents whose events are under way at once. Default 256. */
  readonly maxUnderWay?: number;
}

/**
 * Carries pending events from a collection to the bus, at least once, in the order of each document. Any number of
 * replicas may relay the same collection: ids tell the bus what it has already. Relayed events are kept and sent again
 * when the bus has a new generation.
 */
export interface Relay {
  start(): void;
  /** There is something new: looks at once. */
  kick(): void;
  /** Takes nothing new and waits, at most five seconds, for what is under way. Idempotent. */
  close(): Promise<void>;
}

const sevenDaysMs = 7 * 24 * 3600 * 1000;
const trimEveryMs = 3600 * 1000;
const pageSize = 100;
const maxPages = 100;
const closeWithinMs = 5000;

export function createRelay(options: RelayOptions): Relay {
  return new OutboxRelay(options);
}

class OutboxRelay implements Relay {
  readonly #options: RelayOptions;
  readonly #keepMs: number;
  readonly #underWay = new Map<string | number, Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #again = false;
  #open = false;
  #away = false;
  #generation: string | undefined;
  #trimmedAt = 0;

  constructor(options: RelayOptions) {
    this.#options = options;
    this.#keepMs = Math.max(options.keepMs ?? sevenDaysMs, sevenDaysMs);
  }

  start(): void {
    if (this.#open) return;
    this.#open = true;
    this.#timer = setInterval(() => this.kick(), this.#options.intervalMs ?? 1000);
    this.kick();
  }

  kick(): void {
    if (!this.#open) return;
    this.#again = true;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
      if (this.#again) this.kick();
    });
  }

  async close(): Promise<void> {
    this.#open = false;
    clearInterval(this.#timer);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, closeWithinMs);
    });
    await Promise.race([Promise.all([this.#running, ...this.#underWay.values()]), late]);
    clearTimeout(timer);
  }

  async #run(): Promise<void> {
    while (this.#open && this.#again) {
      this.#again = false;
      try {
        await this.#pass();
      } catch (error) {
        this.#tellAway(error);
      }
    }
  }

  /** One look at the store: starts what is pending and not under way. */
  async #pass(): Promise<void> {
    const generation = await this.#options.bus.generation();
    if (generation !== this.#generation) await this.#takeBackLost(generation);
    const free = (this.#options.maxUnderWay ?? 256) - this.#underWay.size;
    if (free > 0) {
      const filter = { "outbox.pending.id": { $gt: "" } };
      const limit = this.#underWay.size + Math.min(free, pageSize);
      const found = await this.#options.collection.find(filter, { limit, fields: ["outbox"] });
      const fresh = found.filter((document) => !this.#underWay.has(document._id)).slice(0, free);
      if (found.length === 0) this.#away = false;
      for (const document of fresh) this.#begin(document, generation, found.length === limit);
    }
    await this.#trim();
  }

  #begin(document: OutboxDocument, generation: string, mayBeMore: boolean): void {
    const work = this.#relay(document, generation)
      .then(() => {
        this.#underWay.delete(document._id);
        this.#away = false;
        if (mayBeMore) this.kick();
      })
      .catch((error: unknown) => {
        this.#underWay.delete(document._id);
        this.#tellAway(error);
      });
    this.#underWay.set(document._id, work);
  }

  async #relay(document: OutboxDocument, generation: string): Promise<void> {
    // Begun in order without waiting in between, so that one that is slow to be taken does not hold up the next.
    const relayed = (document.outbox?.pending ?? []).map((event) => this.#relayOne(document._id, event, generation));
    const failed = (await Promise.allSettled(relayed)).find((result) => result.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }

  async #relayOne(_id: string | number, event: OutboxEvent, generation: string): Promise<void> {
    const { bus, clock, collection, log } = this.#options;
    try {
      await bus.publish({ ...event, data: JSON.parse(event.data) });
    } catch (error) {
      if (!isRegistryError(error) || error.kind !== "invalid_argument") throw error;
      // It can never be carried; left pending it would be tried for ever.
      log.error({ eventId: event.id, subject: event.subject, err: error }, "event refused by the bus, put aside");
    }
    await collection.updateOne(
      { _id, "outbox.pending.id": event.id },
      {
        $pull: { "outbox.pending": { id: event.id } },
        $push: { "outbox.kept": { ...event, relayedAt: clock.now(), generation } },
      },
    );
  }

  /** Makes what another generation of the bus was given pending again. */
  async #takeBackLost(generation: string): Promise<void> {
    for (const other of [{ $lt: generation }, { $gt: generation }]) {
      for (let page = 0; ; page++) {
        if (page === maxPages) {
          this.#again = true;
          return;
        }
        const filter = { "outbox.kept.generation": other };
        const found = await this.#options.collection.find(filter, { limit: pageSize, fields: ["outbox"] });
        for (const document of found) await this.#takeBack(document, generation);
        if (found.length < pageSize) break;
      }
    }
    this.#generation = generation;
  }

  async #takeBack(document: OutboxDocument, generation: string): Promise<void> {
    for (const kept of document.outbox?.kept ?? []) {
      if (kept.generation === generation) continue;
      const { relayedAt: _, generation: __, ...event } = kept;
      await this.#options.collection.updateOne(
        { _id: document._id, "outbox.kept.id": event.id },
        { $pull: { "outbox.kept": { id: event.id } }, $push: { "outbox.pending": event } },
      );
    }
  }

  async #trim(): Promise<void> {
    const now = this.#options.clock.now().getTime();
    if (now - this.#trimmedAt < trimEveryMs) return;
    const old = { $lt: new Date(now - this.#keepMs) };
    for (let page = 0; page < maxPages; page++) {
      const filter = { "outbox.kept.relayedAt": old };
      const found = await this.#options.collection.find(filter, { limit: pageSize, fields: ["_id"] });
      for (const { _id } of found) {
        await this.#options.collection.updateOne({ _id }, { $pull: { "outbox.kept": { relayedAt: old } } });
      }
      if (found.length < pageSize) break;
    }
    this.#trimmedAt = now;
  }

  /** Once for each outage. */
  #tellAway(error: unknown): void {
    const told = { collection: this.#options.collection.name, err: error };
    if (!this.#away) this.#options.log.warn(told, "events not relayed, tried again");
    this.#away = true;
  }
}
