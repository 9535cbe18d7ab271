import { unavailable } from "@registry/domain";
import { type Clock, isRecent } from "../clock.ts";

const pollEveryMs = 2000;
/** Beyond this age what we know of withdrawn rights may be wrong, so nothing is decided on it. */
const maxAgeMs = 4000;
/** A process that learned of the new epoch a moment earlier bears with one that has not yet. */
const graceMs = 2000;
/** Longest that what was decided before a withdrawal holds after it, whenever this process learned of that. */
const latestMs = 4500;

/** What auth tells of the epoch. */
export interface EpochTold {
  readonly epoch: number;
  /**
   * How long ago it came to be what it is, before that how long ago it came to be one less, and so on, in milliseconds, as
   * far as is remembered: at least the last five seconds.
   */
  readonly raisedAgoMs: readonly number[];
}

/**
 * What this process knows of withdrawn credentials and rights: a number that grows with each withdrawal, asked for every
 * two seconds. Where it cannot be asked, decisions wait for it and fail: closed, not open.
 */
export class RevocationEpoch {
  readonly #clock: Clock;
  readonly #ask: () => Promise<EpochTold>;
  #epoch = 0;
  #confirmedAt = 0;
  /** Recent epochs, oldest first, and until when what was decided before each is borne with. */
  #learned: { readonly epoch: number; readonly until: number }[] = [];
  /** What was decided before this epoch is not borne with any more. */
  #oldest = 0;
  #asking: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(clock: Clock, ask: () => Promise<EpochTold>) {
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
    const { epoch, raisedAgoMs } = await this.#ask();
    if (epoch > this.#epoch) {
      this.#forget();
      // Those of which no time is told were not there yet when this process asked before.
      this.#learn(epoch - raisedAgoMs.length, before);
      for (const [index, ago] of raisedAgoMs.entries().toArray().reverse()) this.#learn(epoch - index, asked - ago);
      this.#epoch = epoch;
    }
    this.#confirmedAt = asked;
  }

  /** @param raisedAt when it was raised to this epoch, at the earliest */
  #learn(epoch: number, raisedAt: number): void {
    if (epoch <= this.#epoch) return;
    this.#learned.push({ epoch, until: Math.min(this.#clock.now().getTime() + graceMs, raisedAt + latestMs) });
  }

  /** The epoch as known, at most four seconds old. @throws kind `unavailable` where it cannot be asked for */
  async current(): Promise<number> {
    if (!isRecent(this.#clock, this.#confirmedAt, maxAgeMs)) {
      this.#asking ??= this.#poll().finally(() => {
        this.#asking = undefined;
      });
      await this.#asking.catch((error: unknown) =>
        Promise.reject(unavailable("What knows of withdrawn rights", error)),
      );
    }
    return this.#epoch;
  }

  /** Whether something decided in that epoch still holds. */
  async holds(epoch: number): Promise<boolean> {
    if (epoch >= (await this.current())) return true;
    this.#forget();
    return epoch >= this.#oldest;
  }

  #forget(): void {
    const now = this.#clock.now().getTime();
    for (let first = this.#learned[0]; first !== undefined && first.until <= now; first = this.#learned[0]) {
      this.#oldest = first.epoch;
      this.#learned.shift();
    }
  }
}
