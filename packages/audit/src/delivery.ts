import type { Told } from "./entry.ts";

/** Hands entries to the log; idempotent by their ids. Resolves once they are kept. */
export type Deliver = (entries: readonly Told[]) => Promise<void>;

/** As many as the log takes at once. */
export const batchSize = 100;

interface Waiting {
  readonly entry: Told;
  readonly kept: PromiseWithResolvers<void>;
}

/** Sends what comes while a batch is under way together in the next one. */
export class Delivery {
  readonly #deliver: Deliver;
  readonly #waiting: Waiting[] = [];
  #running: Promise<void> | undefined;

  constructor(deliver: Deliver) {
    this.#deliver = deliver;
  }

  /** @throws whatever the delivery of its batch failed with */
  send(entry: Told): Promise<void> {
    const kept = Promise.withResolvers<void>();
    this.#waiting.push({ entry, kept });
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
    return kept.promise;
  }

  /** What was sent so far has arrived, or failed. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  async #run(): Promise<void> {
    for (let batch = this.#next(); batch.length > 0; batch = this.#next()) {
      try {
        await this.#deliver(batch.map(({ entry }) => entry));
        for (const { kept } of batch) kept.resolve();
      } catch (error) {
        for (const { kept } of batch) kept.reject(error);
      }
    }
  }

  #next(): Waiting[] {
    return this.#waiting.splice(0, batchSize);
  }
}
