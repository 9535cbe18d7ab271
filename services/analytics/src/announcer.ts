import type { Bus } from "@registry/bus";
import { anySignal, type Surroundings, untilAborted } from "@registry/kit";
import { downloadsCounted, eventSized } from "./events.ts";
import type { Rollups } from "./store/rollups.ts";
import type { Tellings } from "./store/tellings.ts";

/** What comes in such a moment is told together. */
const soonMs = 500;
/** Each telling is a write of the catalog for every plugin that it tells of. */
const everyMs = 1500;
const publishMs = 30_000;
const pluginsAtOnce = 100;
const maxRounds = 1000;

/**
 * Puts changed totals on the bus, at most every second and a half. What is to be told is marked in the store, so a crash or a bus
 * that is away delays it and no more; a bus that may have lost what it had taken is told all of them again. Totals, not
 * increments: telling one twice does no harm.
 */
export class Announcer {
  readonly #rollups: Rollups;
  readonly #tellings: Tellings;
  readonly #bus: Bus;
  readonly #deps: Pick<Surroundings, "clock" | "ids" | "log">;
  #timer: NodeJS.Timeout | undefined;
  #flushedAt = Number.NEGATIVE_INFINITY;
  #running: Promise<void> | undefined;
  /** Of the bus that is told. */
  #generation: string | undefined;
  readonly #closing = new AbortController();

  constructor(rollups: Rollups, tellings: Tellings, bus: Bus, deps: Pick<Surroundings, "clock" | "ids" | "log">) {
    this.#rollups = rollups;
    this.#tellings = tellings;
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
    await this.#markWhereLost();
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

  /** Before anything is told, so that what is told to a bus that loses it meanwhile is marked the next time. */
  async #markWhereLost(): Promise<void> {
    const generation = await untilAborted(this.#bus.generation(), this.#patience());
    if (generation === this.#generation) return;
    if ((await this.#tellings.generation()) !== generation) {
      await this.#rollups.markAll();
      await this.#tellings.note(generation);
    }
    this.#generation = generation;
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
