import { untilAborted } from "@registry/kit";

/** Work that several callers want at once is done once. A caller that goes away leaves the others' work alone. */
export class SingleFlight<T> {
  readonly #underWay = new Map<string, Promise<T>>();

  async run(key: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    let flight = this.#underWay.get(key);
    if (flight === undefined) {
      flight = work().finally(() => this.#underWay.delete(key));
      this.#underWay.set(key, flight);
    }
    return await untilAborted(flight, signal);
  }

  /** Waits for what is under way. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.#underWay.values());
  }
}
