import { RegistryError } from "@registry/domain";

/** Lets a few pieces of costly work run at once and some wait; more than that are sent away, so a flood stays small. */
export class Gate {
  readonly #maxWaiting: number;
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(width: number, maxWaiting: number) {
    this.#free = width;
    this.#maxWaiting = maxWaiting;
  }

  /** @throws kind `rate_limited`, reason `TOO_MANY_LOGINS`, where too many wait already */
  async run<T>(work: () => Promise<T>): Promise<T> {
    await this.#enter();
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }

  #enter(): Promise<void> {
    if (this.#free > 0) {
      this.#free--;
      return Promise.resolve();
    }
    if (this.#waiting.length >= this.#maxWaiting) {
      throw new RegistryError(
        "rate_limited",
        "TOO_MANY_LOGINS",
        "Too many logins at once; try again in a few seconds",
        {
          retryAfterSeconds: 3,
        },
      );
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
