import type { Bus } from "@registry/bus";
import { anySignal, type Surroundings, untilAborted } from "@registry/kit";
import { downloadsCounted, eventSized } from "./events.ts";
import type { Rollups } from "./store/rollups.ts";

/** What comes in such a moment is told together. */
const soonMs = 500;
/** Each telling is a write of the catalog for every plugin that it tells of. */
const everyMs = 1500;
const publishMs = 30_000;
const pluginsAtOnce = 100;
const maxRounds = 1000;

/**
 * Puts changed totals on the bus, at most every second and a half. What is to be told is marked in the store, so a crash or a bus
 * that is away delays it and no more. Totals, not increments: telling one twice does no harm.
 */
export class Announcer {
  readonly #rollups: Rollups;
  readonly #bus: Bus;
  readonly #deps: Pick<Surroundings, "clock" | "ids" | "log">;
  #timer: NodeJS.Timeout | undefined;
  #flushedAt = Number.NEGATIVE_INFINITY;
  #running: Promise<void> | undefined;
  readonly #closing = new AbortController();

  constructor(rollups: Rollups, bus: Bus, deps: Pick<Surroundings, "clock" | "ids" | "log">) {
    this.#rollups = rollups;
    this.#bus = bus;
    this.#deps = deps;
  }

  /** Something was counted. */
  nudge(): void {
    if (this.#closing.signal.aborted) return;
    const wait = this.#flushedAt + everyMs - performance.now();
    this.#timer ??= setTimeout(
      () => {
        this.#timer = undefined;
        this.#flushedAt = performance.now();
        this.flush().catch((error: unknown) => {
          this.#deps.log.warn({ err: error }, "download totals not announced; the next sweep tries again");
        });
      },
      Math.max(soonMs, wait),
    );
  }

  /** Tells all that is marked, after what is being told already. */
  async flush(): Promise<void> {
    await this.#running?.catch(() => undefined);
    this.#running ??= this.#flush().finally(() => {
      this.#running = undefined;
    });
    await this.#running;
  }

  async #flush(): Promise<void> {
    for (let round = 0; round < maxRounds && !this.#closing.signal.aborted; round++) {
      const changed = await this.#rollups.unannounced(pluginsAtOnce);
      const names = changed.map(({ plugin }) => plugin ?? "");
      const versions = Map.groupBy(await this.#rollups.versionsOf(names), ({ plugin }) => plugin);
      const totals = changed.map((total) => ({ total, versions: versions.get(total.plugin) ?? [] }));
      for (const part of eventSized(totals)) {
        const event = downloadsCounted(this.#deps.ids.unique(), this.#deps.clock.now(), part);
        await untilAborted(this.#bus.publish(event), this.#patience());
      }
      await this.#rollups.markAnnounced(changed);
      if (changed.length < pluginsAtOnce) return;
    }
  }

  /** A publication that takes this long is given up; what it told stays marked. */
  #patience(): AbortSignal {
    return anySignal(this.#closing.signal, AbortSignal.timeout(publishMs));
  }

  async close(): Promise<void> {
    this.#closing.abort();
    clearTimeout(this.#timer);
    await this.#running?.catch(() => undefined);
  }
}
