/** So many pieces of work for each user at once, together with what earlier ones have left. Each replica counts its own. */
export class PerUser {
  readonly #limit: number;
  readonly #refusal: (limit: number) => Error;
  readonly #running = new Map<number, number>();

  constructor(limit: number, refusal: (limit: number) => Error) {
    this.#limit = limit;
    this.#refusal = refusal;
  }

  /**
   * @param left how much there is of earlier work
   * @throws the refusal, where there is no room
   */
  async run<T>(userId: number, left: () => Promise<number>, work: () => Promise<T>): Promise<T> {
    const running = (this.#running.get(userId) ?? 0) + 1;
    if (running > this.#limit) throw this.#refusal(this.#limit);
    this.#running.set(userId, running);
    try {
      if (running + (await left()) > this.#limit) throw this.#refusal(this.#limit);
      return await work();
    } finally {
      this.#leave(userId);
    }
  }

  #leave(userId: number): void {
    const running = (this.#running.get(userId) ?? 1) - 1;
    if (running === 0) this.#running.delete(userId);
    else this.#running.set(userId, running);
  }
}
