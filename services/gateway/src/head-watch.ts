import { setTimeout as setTimeoutPromise } from "node:timers/promises";
import type { ChangeServiceDefinition } from "@registry/contracts/changes";
import { anySignal, type Logger, outsideTraces, type ServiceClient } from "@registry/kit";

const againMs = 1000;
/** Heartbeats come every five seconds. */
const silentMs = 12_000;

/** Hears from analytics when there is something new in the feed: once for all streams of this process, while there are any. */
export class HeadWatch {
  readonly #changes: ServiceClient<typeof ChangeServiceDefinition>;
  readonly #log: Logger;
  readonly #waiting = new Set<() => void>();
  #holders = 0;
  #stopped: AbortController | undefined;
  /** Counts what was heard. */
  moves = 0;
  /** Opaque: what analytics knew at least when it was last heard from. */
  latest = "";

  constructor(changes: ServiceClient<typeof ChangeServiceDefinition>, log: Logger) {
    this.#changes = changes;
    this.#log = log;
  }

  /** Watches until it is released again by all who hold it. */
  hold(): () => void {
    this.#holders += 1;
    if (this.#stopped === undefined) {
      this.#stopped = new AbortController();
      const { signal } = this.#stopped;
      void outsideTraces(() => this.#watch(signal));
    }
    return () => {
      this.#holders -= 1;
      if (this.#holders > 0) return;
      this.#stopped?.abort();
      this.#stopped = undefined;
    };
  }

  /** Settles at once where there was more than has been seen, else with the next, after some time, or at the end. */
  moved(seen: number, ended: AbortSignal, withinMs: number): Promise<void> {
    if (this.moves !== seen || ended.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        ended.removeEventListener("abort", wake);
        resolve();
      };
      const timer = setTimeout(wake, withinMs);
      this.#waiting.add(wake);
      ended.addEventListener("abort", wake);
    });
  }

  async #watch(signal: AbortSignal): Promise<void> {
    let away = false;
    while (!signal.aborted) {
      const silent = new AbortController();
      const listen = (): NodeJS.Timeout => setTimeout(() => silent.abort(), silentMs);
      let timer = listen();
      try {
        const options = { signal: anySignal(signal, silent.signal), timeoutMs: 0 };
        for await (const { head } of this.#changes.watchHead({}, { as: "service", ...options })) {
          clearTimeout(timer);
          timer = listen();
          away = false;
          // The first message of a stream always says where the feed ends by now.
          if (head !== "") this.#tell(head);
        }
      } catch (error) {
        if (!signal.aborted && !away) this.#log.warn({ err: error }, "the change feed is away, asked again");
        away = true;
      } finally {
        clearTimeout(timer);
      }
      await pause(againMs, signal);
    }
  }

  #tell(head: string): void {
    this.latest = head;
    this.moves += 1;
    for (const wake of [...this.#waiting]) wake();
  }
}

/** Does not keep a process alive, and fails never: at the signal it is over. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await setTimeoutPromise(ms, undefined, { signal, ref: false }).catch(() => undefined);
}
