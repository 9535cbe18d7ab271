import { Periodic } from "@registry/kit";
import { dueOf } from "./model/batch.ts";
import { before, dayMs } from "./model/time.ts";
import type { Parts } from "./parts.ts";

const everyMs = 5000;
/** What is younger is most likely being counted by whoever took it in. */
const graceMs = 10_000;
const batchesAtOnce = 10;
const usagesAtOnce = 1000;
const maxRounds = 1000;
const trimEveryMs = 10 * 60_000;
/** The longest window of popularity is 365 days; its first day is read hour by hour. */
const fineCountsMs = 367 * dayMs;

/** Finishes what a crash or an absent store left undone, and lets go of what has aged out. */
export class Sweeper {
  readonly #parts: Parts;
  readonly #sweeping: Periodic;
  #trimmedAt = 0;
  /** Every count that an earlier release left has its rank. */
  #ranked = false;
  #closed = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    const failed = "sweep failed; the next one follows";
    this.#sweeping = new Periodic(() => this.#sweep(), { everyMs, log: parts.log, failed });
  }

  start(): void {
    this.#sweeping.start();
    void this.#sweeping.kick();
  }

  async #sweep(): Promise<void> {
    const all = await this.#foldBatches();
    // A bus that is away must not keep old events in the store.
    await this.#parts.announcer.flush().catch((error: unknown) => {
      this.#parts.log.warn({ err: error }, "download totals not announced; the next sweep tries again");
    });
    await this.#rank();
    // What is stored of a time may go once nothing is left to be counted in it.
    if (all) await this.#trim();
  }

  async #rank(): Promise<void> {
    for (let round = 0; round < maxRounds && !this.#ranked && !this.#closed; round++) {
      this.#ranked = await this.#parts.rollups.rank();
    }
  }

  async #trim(): Promise<void> {
    const { clock, config, usages, rollups, trims } = this.#parts;
    const now = clock.now();
    if (this.#closed || now.getTime() - this.#trimmedAt < trimEveryMs) return;
    await this.#foldPending();
    const kept = config.USAGE_RETENTION_DAYS * dayMs;
    const events = before(now, kept);
    // A day's sum may still grow while an event of that day can come, and with it whatever the day is the sum of.
    const slices = before(now, kept + dayMs);
    await trims.note("events", events);
    await trims.note("slices", slices);
    const trimmed = await usages.trim(events);
    if ((await rollups.trim(slices, before(now, fineCountsMs))) && trimmed) {
      this.#trimmedAt = now.getTime();
    }
  }

  /** @returns true if nothing is left */
  async #foldBatches(): Promise<boolean> {
    const { batches, clock, fold } = this.#parts;
    const until = before(clock.now(), graceMs);
    for (let round = 0; round < maxRounds && !this.#closed; round++) {
      const some = await batches.before(until, batchesAtOnce);
      const due = { spots: some.flatMap(({ spots }) => spots), users: some.flatMap(({ users }) => users) };
      await fold(due);
      await batches.end(some);
      if (some.length < batchesAtOnce) return true;
    }
    return false;
  }

  /** What an earlier release stored and did not count. */
  async #foldPending(): Promise<void> {
    const { usages, fold } = this.#parts;
    for (let round = 0; round < maxRounds && !this.#closed; round++) {
      const pending = await usages.pending(usagesAtOnce);
      if (pending.length === 0) return;
      await fold(dueOf(pending));
      await usages.markCounted(pending);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#sweeping.close();
  }
}
