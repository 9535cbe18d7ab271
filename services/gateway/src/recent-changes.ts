import type { Clock } from "@registry/kit";

/** By then every catalog replica has learned of a change by itself. */
const recentMs = 5000;
const most = 100;

/**
 * Names that changed a moment ago, as far as this gateway did it or heard of it. A list or search takes them along, since
 * it may be answered by another replica than the one that made the change.
 */
export class RecentChanges {
  readonly #clock: Clock;
  readonly #at = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(names: readonly string[]): void {
    for (const name of names) {
      // The newest stand last.
      this.#at.delete(name);
      this.#at.set(name, this.#clock.now().getTime());
    }
    const oldest = this.#at.keys();
    while (this.#at.size > most) this.#at.delete(oldest.next().value ?? "");
  }

  /** At most 100. */
  names(): string[] {
    const since = this.#clock.now().getTime() - recentMs;
    for (const [name, at] of this.#at) {
      if (at > since) break;
      this.#at.delete(name);
    }
    return [...this.#at.keys()];
  }
}
