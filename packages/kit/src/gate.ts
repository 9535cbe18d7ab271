import { untilAborted } from "./grpc/pipeline.ts";

/** Lets a few pieces of costly work run at once and some wait in order; more than that are sent away. */
export class Gate {
  readonly #maxWaiting: number;
  readonly #refusal: () => Error;
  readonly #waiting: (() => void)[] = [];
  #free: number;

  /** @param refusal for whoever comes when the line is full */
  constructor(width: number, maxWaiting: number, refusal: () => Error) {
    this.#free = width;
    this.#maxWaiting = maxWaiting;
    this.#refusal = refusal;
  }

  /**
   * @param signal ends the waiting; work that has begun goes on
   * @throws the refusal, where too many wait already; the signal's reason once it is aborted
   */
  async run<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    await this.#enter(signal);
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  async #enter(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#free > 0) {
      this.#free--;
      return;
    }
    if (this.#waiting.length >= this.#maxWaiting) throw this.#refusal();
    const turn = Promise.withResolvers<void>();
    this.#waiting.push(turn.resolve);
    try {
      await untilAborted(turn.promise, signal);
    } catch (error) {
      const at = this.#waiting.indexOf(turn.resolve);
      if (at >= 0) this.#waiting.splice(at, 1);
      // Its turn came in the same moment as the abort.
      else this.#leave();
      throw error;
    }
  }

  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free++;
    else next();
  }
}
