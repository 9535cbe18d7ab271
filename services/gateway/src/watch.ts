import { CatalogServiceDefinition, type WatchChangesResponse } from "@registry/contracts/catalog";
import { type Clients, type Clock, isRecent, type Logger, type ServiceClient } from "@registry/kit";
import { type Resolve, replicasOf } from "./replicas.ts";

type CatalogClient = ServiceClient<typeof CatalogServiceDefinition>;

/** Heartbeats come each second; after this long without one, changes may have been missed. */
const staleAfterMs = 3000;
const lookEveryMs = 1000;
const longestPauseMs = 2000;

interface WatcherDeps {
  readonly client: CatalogClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onNames: (names: readonly string[]) => void;
  /** Something may have been missed. */
  readonly onGap: () => void;
}

/** Listens to one catalog replica, for as long as it is told to. */
class Watcher {
  readonly #deps: WatcherDeps;
  readonly #stop = new AbortController();
  #attempt = new AbortController();
  #heardAt = 0;
  #instance = "";
  #sequence = 0;

  constructor(deps: WatcherDeps) {
    this.#deps = deps;
    void this.#run();
  }

  get fresh(): boolean {
    return isRecent(this.#deps.clock, this.#heardAt, staleAfterMs);
  }

  /** Gives up a stream that went silent, so that a new one is tried. */
  look(): void {
    if (this.#heardAt !== 0 && !this.fresh) {
      this.#lose();
      this.#attempt.abort();
    }
  }

  close(): void {
    this.#stop.abort();
    this.#attempt.abort();
  }

  async #run(): Promise<void> {
    for (let failures = 0; !this.#stop.signal.aborted; failures++) {
      this.#attempt = new AbortController();
      try {
        const stream = this.#deps.client.watchChanges(
          {},
          { as: "service", signal: this.#attempt.signal, timeoutMs: 0 },
        );
        for await (const message of stream) {
          failures = 0;
          this.#hear(message);
          if (this.#stop.signal.aborted) return;
        }
      } catch (error) {
        if (!this.#stop.signal.aborted && failures === 0)
          this.#deps.log.warn({ err: error }, "lost sight of a catalog replica");
      }
      this.#lose();
      await pause(Math.min(longestPauseMs, 100 * 2 ** Math.min(failures, 5)), this.#stop.signal);
    }
  }

  #hear({ instance, sequence, names }: WatchChangesResponse): void {
    const wasFresh = this.fresh;
    const expected = this.#sequence + (names.length > 0 ? 1 : 0);
    const follows = instance === this.#instance && sequence === expected;
    this.#heardAt = this.#deps.clock.now().getTime();
    this.#instance = instance;
    this.#sequence = sequence;
    if (!follows || !wasFresh) this.#deps.onGap();
    else if (names.length > 0) this.#deps.onNames(names);
  }

  #lose(): void {
    if (this.#heardAt === 0) return;
    this.#heardAt = 0;
    this.#instance = "";
    this.#sequence = 0;
    this.#deps.onGap();
  }
}

export interface ChangeWatchDeps {
  readonly clients: Clients;
  /** gRPC target of the catalog; undefined where it lives in this process. */
  readonly target: string | undefined;
  readonly resolve: Resolve;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onNames: (names: readonly string[]) => void;
  readonly onGap: () => void;
}

/**
 * Hears of every change that any catalog replica makes. What was read before can be trusted while all of them are heard;
 * replicas that appear are listened to within seconds.
 */
export class ChangeWatch {
  readonly #deps: ChangeWatchDeps;
  readonly #watchers = new Map<string, { watcher: Watcher; close: () => void }>();
  #timer: NodeJS.Timeout | undefined;
  #looking = false;
  #heardAt = 0;
  /** All replicas are known and were heard of; what follows from it is asked on every cached answer. */
  #known = false;

  constructor(deps: ChangeWatchDeps) {
    this.#deps = deps;
  }

  /** True while every replica is heard. */
  fresh(): boolean {
    if (!this.#known || this.#watchers.size === 0) return false;
    for (const { watcher } of this.#watchers.values()) if (!watcher.fresh) return false;
    return true;
  }

  /** When at least one of them was last heard; milliseconds since 1970, 0 for never. */
  get lastHeardAt(): number {
    const heard = this.#watchers.values().some(({ watcher }) => watcher.fresh);
    if (heard) this.#heardAt = this.#deps.clock.now().getTime();
    return this.#heardAt;
  }

  async start(): Promise<void> {
    this.#timer = setInterval(() => void this.#look(), lookEveryMs).unref();
    await this.#look();
  }

  close(): void {
    clearInterval(this.#timer);
    for (const { close } of this.#watchers.values()) close();
    this.#watchers.clear();
    this.#known = false;
  }

  async #look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    try {
      for (const { watcher } of this.#watchers.values()) watcher.look();
      this.#follow(await this.#replicas());
      this.#known = true;
      void this.lastHeardAt;
    } catch (error) {
      // The replicas known so far are still listened to; one that is new cannot be known, so nothing is trusted.
      if (this.#known) this.#deps.log.warn({ err: error }, "cannot tell where the catalog's replicas are");
      this.#known = false;
      this.#deps.onGap();
    } finally {
      this.#looking = false;
    }
  }

  async #replicas(): Promise<readonly string[]> {
    const { clients, target, resolve } = this.#deps;
    return target === undefined || clients.isLocal(CatalogServiceDefinition) ? [""] : replicasOf(target, resolve);
  }

  #follow(targets: readonly string[]): void {
    for (const [target, { close }] of this.#watchers) {
      if (targets.includes(target)) continue;
      close();
      this.#watchers.delete(target);
      this.#deps.onGap();
    }
    for (const target of targets) if (!this.#watchers.has(target)) this.#watchers.set(target, this.#watch(target));
  }

  #watch(target: string): { watcher: Watcher; close: () => void } {
    const { clients, clock, log, onNames, onGap } = this.#deps;
    const { client, close } =
      target === ""
        ? { client: clients.of(CatalogServiceDefinition), close: () => undefined }
        : clients.at(CatalogServiceDefinition, target, this.#deps.target);
    onGap();
    const watcher = new Watcher({ client, clock, log, onNames, onGap });
    return {
      watcher,
      close() {
        watcher.close();
        close();
      },
    };
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done, { once: true });
    if (signal.aborted) done();
  });
}
