import { randomInt } from "node:crypto";
import { setting } from "../servers/environment.ts";

/** Random numbers that come again with the same seed. */
export interface Seeded {
  readonly seed: number;
  /** A whole number from 0 up to, and without, the limit. */
  below(limit: number): number;
  shuffled<T>(items: readonly T[]): T[];
}

/** Of the seed in `TEST_SEED`, else of a new one; tests tell it when they fail. */
export function seeded(seed = Number(setting("TEST_SEED") ?? randomInt(2 ** 31))): Seeded {
  let state = seed >>> 0;
  const below = (limit: number): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
  return {
    seed,
    below,
    shuffled(items) {
      const rest = [...items];
      return Array.from(items, () => rest.splice(below(rest.length), 1)).flat();
    },
  };
}
