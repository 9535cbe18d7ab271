import type { Logger } from "./log.ts";
import { outsideTraces } from "./telemetry/context.ts";

export interface PeriodicOptions {
  /** Between the beginnings of two runs, milliseconds; a run that is due while one is under way is left out. */
  readonly everyMs: number;
  readonly log: Logger;
  /** What the log says of a run that failed. */
  readonly failed: string;
  /** Of the first failure in a row; `warn` unless given. The others are told at `debug`: what is away stays away for a while. */
  readonly level?: "warn" | "debug";
}

/** Work that is done again and again, one run at a time, as part of nobody's request. It keeps no process alive. */
export class Periodic {
  readonly #work: () => Promise<void>;
  readonly #options: PeriodicOptions;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #failing = false;
  #closed = false;

  constructor(work: () => Promise<void>, options: PeriodicOptions) {
    this.#work = work;
    this.#options = options;
  }

  /** The first run is due after one interval; `kick` has it sooner. */
  start(): void {
    if (this.#closed) return;
    this.#timer ??= setInterval(() => void this.kick(), this.#options.everyMs).unref();
  }

  /** Begins a run unless one is under way. @returns when that one is over; fails never */
  kick(): Promise<void> {
    if (this.#closed) return this.#running ?? Promise.resolve();
    this.#running ??= outsideTraces(() => this.#run()).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #run(): Promise<void> {
    try {
      await this.#work();
      this.#failing = false;
    } catch (err) {
      const { log, failed, level = "warn" } = this.#options;
      log[this.#failing ? "debug" : level]({ err }, failed);
      this.#failing = true;
    }
  }

  /** Waits for a run under way; none begins any more. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    await this.#running;
  }
}
