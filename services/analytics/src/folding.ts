import type { Logger } from "@registry/kit";
import type { Fold } from "./fold.ts";
import type { Batch } from "./model/batch.ts";
import type { Batches } from "./store/batches.ts";

/** Counting so many places is not felt by others. */
const freePlaces = 100;
const restMsPerPlace = 1;
/** With the gateway's batches and what it keeps ready, totals in answers are never ten seconds late by this. */
const longestRestMs = 3000;

export interface FoldingDeps {
  readonly fold: Fold;
  readonly batches: Batches;
  readonly log: Logger;
  /** Something was counted. */
  readonly counted: () => void;
}

/**
 * Counts what this replica stored. Whatever came meanwhile is counted together, and after much work there is a rest for
 * as long as the work was: then each place is counted once where it would have been many times, and answers of the same
 * process are not slowed down. What is not counted when this ends is left to a sweeper.
 */
export class Folding {
  readonly #deps: FoldingDeps;
  #waiting: Batch[] = [];
  #running: Promise<void> | undefined;
  #rest: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(deps: FoldingDeps) {
    this.#deps = deps;
  }

  /** Resolves when the batch is counted, or when that has to wait. */
  async add(batch: Batch): Promise<void> {
    if (this.#closed) return;
    this.#waiting.push(batch);
    if (this.#rest === undefined) await this.#run();
  }

  #run(): Promise<void> {
    this.#running ??= this.#foldWaiting().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #foldWaiting(): Promise<void> {
    while (this.#waiting.length > 0 && !this.#closed) {
      const batches = this.#waiting;
      this.#waiting = [];
      const places = await this.#foldAll(batches);
      if (places > freePlaces) return this.#restFor(Math.min(places * restMsPerPlace, longestRestMs));
    }
  }

  /** @returns how many places were counted */
  async #foldAll(batches: readonly Batch[]): Promise<number> {
    const { fold, batches: store, log, counted } = this.#deps;
    try {
      const places = await fold({
        spots: batches.flatMap(({ spots }) => spots),
        users: batches.flatMap(({ users }) => users),
      });
      await store.end(batches);
      counted();
      return places;
    } catch (error) {
      log.warn({ err: error }, "usage not counted yet; a sweep does it");
      return 0;
    }
  }

  #restFor(ms: number): void {
    if (this.#closed) return;
    this.#rest = setTimeout(() => {
      this.#rest = undefined;
      void this.#run();
    }, ms);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#rest);
    await this.#running;
  }
}
