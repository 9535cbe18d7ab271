import { before, dayMs } from "./model/time.ts";
import type { Parts } from "./parts.ts";

const everyMs = 5000;
/** What is younger is most likely being folded by whoever took it in. */
const graceMs = 2000;
const foldAtOnce = 1000;
const maxRounds = 1000;
const trimEveryMs = 10 * 60_000;
/** The longest window of popularity is 365 days; its first day is read hour by hour. */
const fineCountsMs = 367 * dayMs;

/** Finishes what a crash or an absent store left undone, and lets go of what has aged out. */
export class Sweeper {
  readonly #parts: Parts;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #trimmedAt = 0;
  #closed = false;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  start(): void {
    this.#run();
    this.#timer ??= setInterval(() => this.#run(), everyMs);
  }

  #run(): void {
    this.#running ??= this.sweep()
      .catch((error: unknown) => this.#parts.log.warn({ err: error }, "sweep failed; the next one follows"))
      .finally(() => {
        this.#running = undefined;
      });
  }

  async sweep(): Promise<void> {
    await this.#foldPending();
    // A bus that is away must not keep old events in the store.
    await this.#parts.announcer.flush().catch((error: unknown) => {
      this.#parts.log.warn({ err: error }, "download totals not announced; the next sweep tries again");
    });
    const now = this.#parts.clock.now();
    if (this.#closed || now.getTime() - this.#trimmedAt < trimEveryMs) return;
    await this.#parts.usages.trim(before(now, this.#parts.config.USAGE_RETENTION_DAYS * dayMs));
    await this.#parts.rollups.trim(before(now, fineCountsMs));
    this.#trimmedAt = now.getTime();
  }

  async #foldPending(): Promise<void> {
    const until = before(this.#parts.clock.now(), graceMs);
    for (let round = 0; round < maxRounds && !this.#closed; round++) {
      const pending = await this.#parts.usages.pending(until, foldAtOnce);
      await this.#parts.fold(pending);
      if (pending.length < foldAtOnce) return;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    await this.#running;
  }
}
