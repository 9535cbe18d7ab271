import { setTimeout as pause } from "node:timers/promises";
import type { Logger } from "@registry/kit";

/** Runs something again and again, with a pause in between, until it is closed. */
export class Schedule {
  readonly #work: (signal: AbortSignal) => Promise<unknown>;
  readonly #intervalMs: number;
  readonly #log: Logger;
  readonly #controller = new AbortController();
  #running: Promise<void> | undefined;

  /** @param intervalMs 0: never */
  constructor(work: (signal: AbortSignal) => Promise<unknown>, intervalMs: number, log: Logger) {
    this.#work = work;
    this.#intervalMs = intervalMs;
    this.#log = log;
  }

  start(): void {
    if (this.#intervalMs > 0) this.#running ??= this.#run(this.#controller.signal);
  }

  async close(): Promise<void> {
    this.#controller.abort();
    await this.#running;
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await pause(this.#intervalMs, undefined, { signal, ref: false });
        await this.#work(signal);
      } catch (error) {
        if (!signal.aborted) this.#log.warn({ err: error }, "garbage was not collected");
      }
    }
  }
}
