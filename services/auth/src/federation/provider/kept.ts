import { type Clock, isRecent } from "@registry/kit";

/** Something that is asked for once and kept for a while; whoever asks meanwhile shares the question. */
export class Kept<T> {
  readonly #clock: Clock;
  readonly #maxAgeMs: number;
  readonly #load: () => Promise<T>;
  #value: { readonly value: T; readonly at: number } | undefined;
  #loading: Promise<T> | undefined;

  constructor(clock: Clock, maxAgeMs: number, load: () => Promise<T>) {
    this.#clock = clock;
    this.#maxAgeMs = maxAgeMs;
    this.#load = load;
  }

  /** @param maxAgeMs take nothing older */
  get(maxAgeMs = this.#maxAgeMs): Promise<T> {
    const kept = this.#value;
    if (kept !== undefined && isRecent(this.#clock, kept.at, maxAgeMs)) return Promise.resolve(kept.value);
    this.#loading ??= this.#renew().finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  async #renew(): Promise<T> {
    const at = this.#clock.now().getTime();
    const value = await this.#load();
    this.#value = { value, at };
    return value;
  }
}
