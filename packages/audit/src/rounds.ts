import type { Logger } from "@registry/kit";

/** Between two rounds, milliseconds. */
export interface Pauses {
  readonly idle: number;
  /** After the first failure; it doubles with each further one, up to the longest. */
  readonly first: number;
  readonly longest: number;
}

export const usualPauses: Pauses = { idle: 5000, first: 1000, longest: 30_000 };

/** Runs something again and again until it is closed: at leisure while it succeeds, with growing pauses while it fails. */
export class Rounds {
  readonly #work: () => Promise<void>;
  readonly #log: Logger;
  readonly #pauses: Pauses;
  #failures = 0;
  #timer: NodeJS.Timeout | undefined;
  /** When the timer goes off, by the monotonic clock. */
  #due = Number.POSITIVE_INFINITY;
  #running: Promise<void> | undefined;
  #state: "new" | "started" | "closed" = "new";

  constructor(work: () => Promise<void>, log: Logger, pauses: Pauses) {
    this.#work = work;
    this.#log = log;
    this.#pauses = pauses;
  }

  /** Whether the last round failed. */
  get failing(): boolean {
    return this.#failures > 0;
  }

  start(): void {
    if (this.#state !== "new") return;
    this.#state = "started";
    this.#schedule(0);
  }

  /** Something is known to be left; unless the rounds fail anyway, one comes sooner. */
  soon(): void {
    if (this.#running === undefined && !this.failing) this.#schedule(this.#pauses.first);
  }

  throwIfClosed(): void {
    if (this.#state === "closed") throw new Error("the rounds were closed");
  }

  /** Waits for a round under way. */
  async close(): Promise<void> {
    this.#state = "closed";
    clearTimeout(this.#timer);
    await this.#running;
  }

  #schedule(ms: number): void {
    const due = performance.now() + ms;
    if (this.#state !== "started" || due >= this.#due) return;
    clearTimeout(this.#timer);
    this.#due = due;
    this.#timer = setTimeout(() => {
      this.#due = Number.POSITIVE_INFINITY;
      this.#running = this.#round().finally(() => {
        this.#running = undefined;
        this.#schedule(this.#pauseMs());
      });
    }, ms).unref();
  }

  #pauseMs(): number {
    const { idle, first, longest } = this.#pauses;
    return this.#failures === 0 ? idle : Math.min(first * 2 ** (this.#failures - 1), longest);
  }

  async #round(): Promise<void> {
    try {
      await this.#work();
      this.#failures = 0;
    } catch (error) {
      this.#failures += 1;
      if (this.#state !== "closed") this.#log.warn({ err: error }, "the audit journal is not empty yet; tried again");
    }
  }
}
