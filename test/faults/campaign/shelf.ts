import { keyOf } from "../invariants/context.ts";
import type { Seeded } from "../seeded.ts";

/** A release that somebody was told of. */
export interface Shelved {
  readonly name: string;
  readonly version: string;
  readonly since: number;
  /** Taken away, or tried to be. */
  removed: boolean;
}

/** What clients know to be there, so that they download and change what exists. */
export class Shelf {
  readonly #random: Seeded;
  readonly #all = new Map<string, Shelved>();

  constructor(random: Seeded) {
    this.#random = random;
  }

  put({ name, version }: { readonly name: string; readonly version: string }): void {
    const key = keyOf({ name, version });
    if (!this.#all.has(key)) this.#all.set(key, { name, version, since: performance.now(), removed: false });
  }

  /** One that nobody has tried to take away. */
  any(): Shelved | undefined {
    const there = [...this.#all.values()].filter(({ removed }) => !removed);
    return there[this.#random.below(Math.max(1, there.length))];
  }

  isRemoved(release: { readonly name: string; readonly version: string }): boolean {
    return this.#all.get(keyOf(release))?.removed === true;
  }

  get size(): number {
    return this.#all.size;
  }

  get removed(): number {
    return this.#all.values().reduce((sum, { removed }) => sum + (removed ? 1 : 0), 0);
  }
}
