import type { WatchChangesResponse } from "@registry/contracts/catalog";
import { RegistryError } from "@registry/domain";

const heartbeatMs = 1000;
/** A watcher that falls behind this far starts over; it would have to drop everything anyway. */
const mostPending = 20_000;

interface Watcher {
  readonly names: Set<string>;
  wake: () => void;
}

/** Tells watchers which plugins this replica changed, or learned that they changed, and that it is alive in between. */
export class ChangeHub {
  readonly #instance: string;
  readonly #watchers = new Set<Watcher>();
  #open = true;

  /** @param instance new with every process */
  constructor(instance: string) {
    this.#instance = instance;
  }

  announce(name: string): void {
    for (const watcher of this.#watchers) {
      watcher.names.add(name);
      watcher.wake();
    }
  }

  /** Begins with a message at once. Ends when the hub closes or the signal is aborted. */
  async *watch(signal: AbortSignal): AsyncGenerator<WatchChangesResponse> {
    const watcher: Watcher = { names: new Set(), wake: () => {} };
    this.#watchers.add(watcher);
    const wake = (): void => watcher.wake();
    signal.addEventListener("abort", wake);
    let sequence = 0;
    try {
      while (this.#open && !signal.aborted) {
        const names = [...watcher.names];
        watcher.names.clear();
        if (names.length > mostPending) throw tooSlow();
        if (names.length > 0) sequence += 1;
        yield { names, instance: this.#instance, sequence };
        if (watcher.names.size === 0 && this.#open && !signal.aborted) await this.#next(watcher);
      }
    } finally {
      signal.removeEventListener("abort", wake);
      this.#watchers.delete(watcher);
    }
  }

  #next(watcher: Watcher): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, heartbeatMs);
      watcher.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  close(): void {
    this.#open = false;
    for (const watcher of this.#watchers) watcher.wake();
  }
}

const tooSlow = (): RegistryError =>
  new RegistryError("unavailable", "WATCH_TOO_SLOW", "More changed than this watcher took; watch again");
