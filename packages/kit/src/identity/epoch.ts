import type { Clock } from "../clock.ts";

const pollEveryMs = 2000;
/** Beyond this age what we know of withdrawn rights may be wrong, so nothing is decided on it. */
const maxAgeMs = 4000;
/** A process that learned of the new epoch a moment earlier bears with one that has not yet. */
const graceMs = 2000;

/**
 * What this process knows of withdrawn credentials and rights: a number that grows with each withdrawal, asked for every
 * two seconds. Where it cannot be asked, decisions wait for it and fail: closed, not open.
 */
export class RevocationEpoch {
  readonly #clock: Clock;
  readonly #ask: () => Promise<number>;
  #epoch = 0;
  #confirmedAt = 0;
  /** Recent epochs, oldest first, and when this process learned of each; 0 where it may have come long before. */
  #learned: { readonly epoch: number; readonly at: number }[] = [];
  #asking: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(clock: Clock, ask: () => Promise<number>) {
    this.#clock = clock;
    this.#ask = ask;
  }

  start(): void {
    this.#timer ??= setInterval(() => void this.refresh().catch(() => undefined), pollEveryMs).unref();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Asks now. Calls under way share one question, but never one that began before this call. */
  async refresh(): Promise<void> {
    const running = this.#asking;
    if (running !== undefined) await running.catch(() => undefined);
    this.#asking ??= this.#poll().finally(() => {
      this.#asking = undefined;
    });
    await this.#asking;
  }

  async #poll(): Promise<void> {
    const before = this.#confirmedAt;
    const asked = this.#clock.now().getTime();
    const epoch = await this.#ask();
    if (epoch > this.#epoch) {
      const inTime = asked - before < maxAgeMs;
      this.#learned = [...this.#learned.slice(-15), { epoch, at: inTime ? this.#clock.now().getTime() : 0 }];
      this.#epoch = epoch;
    }
    this.#confirmedAt = asked;
  }

  /** The epoch as known, at most four seconds old. @throws whatever asking for it failed with */
  async current(): Promise<number> {
    if (this.#clock.now().getTime() - this.#confirmedAt > maxAgeMs) {
      this.#asking ??= this.#poll().finally(() => {
        this.#asking = undefined;
      });
      await this.#asking;
    }
    return this.#epoch;
  }

  /** Whether something decided in that epoch still holds. */
  async holds(epoch: number): Promise<boolean> {
    const current = await this.current();
    if (epoch >= current) return true;
    const overtaken = this.#learned.find((known) => known.epoch > epoch);
    return overtaken !== undefined && this.#clock.now().getTime() - overtaken.at < graceMs;
  }
}
