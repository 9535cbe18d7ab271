import type { Clock } from "@registry/kit";

const maxKeys = 50_000;

/** So many a minute for each key, all of them at once if need be; the keys that were seen longest ago are forgotten first. */
export class Limiter {
  readonly #clock: Clock;
  readonly #perMs: number;
  readonly #burst: number;
  readonly #refused: () => void;
  readonly #buckets = new Map<string, { tokens: number; at: number }>();

  /**
   * @param perMinute 0 for no limit
   * @param refused told each time that there was none to take
   */
  constructor(clock: Clock, perMinute: number, refused: () => void = () => undefined) {
    this.#clock = clock;
    this.#perMs = perMinute / 60_000;
    this.#burst = perMinute;
    this.#refused = refused;
  }

  get active(): boolean {
    return this.#perMs > 0;
  }

  /** Takes one. @returns 0, or the seconds after which there is one again */
  take(key: string): number {
    const wait = this.#wait(key);
    const bucket = this.#buckets.get(key);
    if (wait > 0) this.#refused();
    else if (bucket !== undefined) bucket.tokens -= 1;
    return wait;
  }

  /** @returns 0 if there is one to take, else the seconds until there is */
  #wait(key: string): number {
    if (!this.active) return 0;
    const now = this.#clock.now().getTime();
    const known = this.#buckets.get(key);
    const tokens =
      known === undefined ? this.#burst : Math.min(this.#burst, known.tokens + (now - known.at) * this.#perMs);
    this.#buckets.delete(key);
    this.#buckets.set(key, { tokens, at: now });
    if (this.#buckets.size > maxKeys) {
      const oldest = this.#buckets.keys().next().value;
      if (oldest !== undefined) this.#buckets.delete(oldest);
    }
    return tokens >= 1 ? 0 : Math.max(1, Math.ceil((1 - tokens) / this.#perMs / 1000));
  }
}
