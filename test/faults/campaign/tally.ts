import { setTimeout as pause } from "node:timers/promises";

/** What clients do. */
export type Deed = "publish" | "download" | "search" | "yank" | "delete" | "credential";

interface Tried {
  readonly deed: Deed;
  readonly begunAt: number;
  readonly fine: boolean;
}

const lookEveryMs = 20;

/** Every request of the campaign, and whether the registry served it; a refusal that is right is service, too. */
export class Tally {
  readonly #tried: Tried[] = [];

  /** @param begunAt by `performance.now()` */
  add(deed: Deed, begunAt: number, fine: boolean): void {
    this.#tried.push({ deed, begunAt, fine });
  }

  /** Requests that were begun within a stretch of time. */
  between(from: number, to: number): { readonly tried: number; readonly failed: number } {
    const within = this.#tried.filter(({ begunAt }) => begunAt >= from && begunAt <= to);
    return { tried: within.length, failed: within.filter(({ fine }) => !fine).length };
  }

  get all(): Readonly<Record<string, { readonly tried: number; readonly failed: number }>> {
    const byDeed = Map.groupBy(this.#tried, ({ deed }) => deed);
    const failed = (tried: readonly Tried[]): number => tried.filter(({ fine }) => !fine).length;
    return Object.fromEntries(
      [...byDeed].map(([deed, tried]) => [deed, { tried: tried.length, failed: failed(tried) }]),
    );
  }

  /** Waits until each of the deeds, begun after a time, has been served. @returns false where that took too long */
  async servedAfter(time: number, deeds: readonly Deed[], withinMs: number): Promise<boolean> {
    const limit = performance.now() + withinMs;
    const served = (deed: Deed): boolean =>
      this.#tried.findLast((each) => each.deed === deed && each.fine && each.begunAt >= time) !== undefined;
    while (!deeds.every(served)) {
      if (performance.now() > limit) return false;
      await pause(lookEveryMs);
    }
    return true;
  }
}
