import { isRegistryError } from "@registry/domain";
import { eventOf, type OutboxDocument, type OutboxEvent } from "./outbox-event.ts";
import { KeptEvents, type Replay } from "./outbox-kept.ts";
import type { KeptCollection, OutboxCollection } from "./outbox-store.ts";
import type { Bus, BusLog } from "./port.ts";
import { messageIdOf } from "./rules.ts";

export interface RelayOptions {
  readonly collection: OutboxCollection;
  /** Opened with `relayedEventsSpec`; relays of one database share it. */
  readonly kept: KeptCollection;
  readonly bus: Bus;
  readonly clock: { now(): Date };
  readonly log: BusLog;
  /** Pause between looks at the store when nobody kicks. Default 1000. */
  readonly intervalMs?: number;
  /** How long relayed events are kept. Default, and at least, seven days. */
  readonly keepMs?: number;
  /** Events under way at once, those apart that the bus takes long for. Default 256. */
  readonly maxUnderWay?: number;
}

/** What waits to be relayed. */
export interface Backlog {
  readonly collection: string;
  /** Events; where they are in more than a thousand documents, one is counted for each document beyond. */
  readonly pending: number;
  /** When the oldest of them happened, of a thousand documents; undefined where nothing waits. */
  readonly oldest: Date | undefined;
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
  backlog(): Promise<Backlog>;
  /** Sends kept events once more, by any replica, also after a restart. @returns how many */
  replay(replay: Replay): Promise<number>;
  /** Takes nothing new and waits, at most five seconds, for what is under way. Idempotent. */
  close(): Promise<void>;
}

const tidyEveryMs = 3600 * 1000;
const resendEveryMs = 5000;
const pageSize = 100;
const mostCounted = 1000;
const closeWithinMs = 5000;
/** What takes longer has met a consumer that fails, on a bus that waits for it: it must not keep others from the bus. */
const slowMs = 2000;
/** Even of slow ones no more at once, for the sake of memory. */
const mostSlow = 4096;

export function createRelay(options: RelayOptions): Relay {
  return new OutboxRelay(options);
}

interface UnderWay {
  readonly document: string | number;
  readonly since: number;
  readonly work: Promise<void>;
  /** It stays listed until the store is asked again: an answer that was under way may still tell of it. */
  done: boolean;
}

class OutboxRelay implements Relay {
  readonly #options: RelayOptions;
  readonly #kept: KeptEvents;
  /** By document and event. */
  readonly #underWay = new Map<string, UnderWay>();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #resending: Promise<void> | undefined;
  #again = false;
  #open = false;
  #away = false;
  #generation: string | undefined;
  #resentAt = Number.NEGATIVE_INFINITY;
  #tidiedAt = 0;

  constructor(options: RelayOptions) {
    this.#options = options;
    this.#kept = new KeptEvents(options);
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

  async backlog(): Promise<Backlog> {
    const { collection } = this.#options;
    const filter = { "outbox.pending.id": { $gt: "" } };
    const found = await collection.find(filter, { limit: mostCounted, fields: ["outbox.pending.time"] });
    const times = found.flatMap(({ outbox }) => outbox?.pending ?? []).map(({ time }) => time.getTime());
    const beyond = found.length < mostCounted ? 0 : (await collection.countDocuments(filter)) - found.length;
    const oldest = times.length === 0 ? undefined : new Date(times.reduce((least, time) => Math.min(least, time)));
    return { collection: collection.name, pending: times.length + Math.max(0, beyond), oldest };
  }

  async replay(replay: Replay): Promise<number> {
    const count = await this.#kept.replay(replay);
    this.#resentAt = Number.NEGATIVE_INFINITY;
    this.kick();
    return count;
  }

  async close(): Promise<void> {
    this.#open = false;
    clearInterval(this.#timer);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, closeWithinMs);
    });
    const works = [...this.#underWay.values()].map(({ work }) => work);
    await Promise.race([Promise.all([this.#running, this.#resending, this.#kept.settled(), ...works]), late]);
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
    this.#resendWhereDue(generation);
    for (const [key, { done }] of this.#underWay) if (done) this.#underWay.delete(key);
    const free = this.#free();
    if (free > 0) {
      const filter = { "outbox.pending.id": { $gt: "" } };
      const known = new Set([...this.#underWay.values()].map(({ document }) => document));
      const limit = known.size + Math.min(free, pageSize);
      const found = await this.#options.collection.find(filter, { limit, fields: ["outbox.pending"] });
      if (found.length === 0) this.#away = false;
      // Begun in order without waiting in between, so that one that is slow to be taken does not hold up the next.
      for (const document of found) this.#begin(document, generation, found.length === limit);
    }
    await this.#tidyWhereDue();
  }

  #free(): number {
    const recent = performance.now() - slowMs;
    const quick = [...this.#underWay.values()].filter(({ since }) => since > recent).length;
    const slow = this.#underWay.size - quick;
    return Math.min((this.#options.maxUnderWay ?? 256) - quick, mostSlow - slow);
  }

  #begin({ _id, outbox }: OutboxDocument, generation: string, mayBeMore: boolean): void {
    for (const event of outbox?.pending ?? []) {
      const key = JSON.stringify([_id, messageIdOf(event)]);
      if (this.#underWay.has(key)) continue;
      const work = this.#relay(_id, event, generation).then(
        () => {
          this.#away = false;
          if (mayBeMore) this.kick();
        },
        (error: unknown) => this.#tellAway(error),
      );
      const underWay: UnderWay = { document: _id, since: performance.now(), work, done: false };
      this.#underWay.set(key, underWay);
      void work.then(() => {
        underWay.done = true;
      });
    }
  }

  async #relay(_id: string | number, event: OutboxEvent, generation: string): Promise<void> {
    const { bus, collection, log } = this.#options;
    try {
      await bus.publish(eventOf(event));
    } catch (error) {
      if (!isRegistryError(error) || error.kind !== "invalid_argument") throw error;
      // It can never be carried; left pending it would be tried for ever.
      log.error({ eventId: event.id, subject: event.subject, err: error }, "event refused by the bus, put aside");
    }
    await this.#kept.add(event, generation);
    const again = event.again?.key ?? ({ $exists: false } as const);
    await collection.updateOne({ _id }, { $pull: { "outbox.pending": { id: event.id, "again.key": again } } });
  }

  /** Beside what is new, which must not wait for days of events. */
  #resendWhereDue(generation: string): void {
    const now = performance.now();
    if (this.#resending !== undefined) return;
    if (generation === this.#generation && now - this.#resentAt < resendEveryMs) return;
    this.#resentAt = now;
    this.#resending = this.#kept
      .resend(generation, () => this.#open)
      .then(() => {
        this.#generation = generation;
      })
      .catch((error: unknown) => this.#tellAway(error))
      .finally(() => {
        this.#resending = undefined;
      });
  }

  async #tidyWhereDue(): Promise<void> {
    const now = this.#options.clock.now().getTime();
    if (now - this.#tidiedAt < tidyEveryMs) return;
    await this.#kept.tidy();
    this.#tidiedAt = now;
  }

  /** Once for each outage. */
  #tellAway(error: unknown): void {
    const told = { collection: this.#options.collection.name, err: error };
    if (!this.#away) this.#options.log.warn(told, "events not relayed, tried again");
    this.#away = true;
  }
}
