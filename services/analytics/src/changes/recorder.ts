import type { Event } from "@registry/bus";
import type { Clock } from "@registry/kit";
import { toldOf } from "./model/change.ts";
import type { ChangeStore } from "./store/changes.ts";

/** Appends events to the feed, those of this process one after the other: they would only get in each other's way. */
export class Recorder {
  readonly #store: ChangeStore;
  readonly #clock: Clock;
  readonly #recorded: () => void;
  #last: Promise<void> = Promise.resolve();

  /** @param recorded told after each one */
  constructor(store: ChangeStore, clock: Clock, recorded: () => void) {
    this.#store = store;
    this.#clock = clock;
    this.#recorded = recorded;
  }

  /** Resolves once it is in the feed. An event that comes twice is there once. */
  async record(event: Event): Promise<void> {
    const told = toldOf(event);
    if (told === undefined) return;
    const append = async (): Promise<void> => {
      await this.#store.append(event.id, told, this.#clock.now());
      this.#recorded();
    };
    const appended = this.#last.then(append);
    this.#last = appended.catch(() => undefined);
    await appended;
  }
}
