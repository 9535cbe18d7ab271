import { Gauge, type Registry } from "prom-client";
import type { Clock } from "../clock.ts";
import type { Logger } from "../log.ts";
import { Periodic } from "../periodic.ts";

const everyMs = 10_000;

/** How far events are behind. Every replica that knows tells the same, so the largest of each series is the one to look at. */
export interface EventGauges {
  /** Events that a consumer group has not handled. */
  readonly lag: Gauge<"group">;
  /** Events that the bus has not accepted yet, by `service.collection`. */
  readonly outboxPending: Gauge<"collection">;
  /** Age of the oldest of them; 0 where none waits. */
  readonly outboxOldest: Gauge<"collection">;
  readonly deadLetters: Gauge;
}

export function createEventGauges(registry: Registry): EventGauges {
  const registers = [registry];
  return {
    lag: new Gauge({
      name: "registry_event_lag",
      help: "Events that a consumer group has not handled",
      labelNames: ["group"] as const,
      registers,
    }),
    outboxPending: new Gauge({
      name: "registry_outbox_pending",
      help: "Events in outboxes that the bus has not accepted yet",
      labelNames: ["collection"] as const,
      registers,
    }),
    outboxOldest: new Gauge({
      name: "registry_outbox_oldest_pending_seconds",
      help: "Age of the oldest event that the bus has not accepted yet; 0 where none waits",
      labelNames: ["collection"] as const,
      registers,
    }),
    deadLetters: new Gauge({
      name: "registry_dead_letters",
      help: "Events that a consumer group could not handle and nobody has dropped",
      registers,
    }),
  };
}

/** What waits in one outbox. */
interface Backlog {
  readonly collection: string;
  readonly pending: number;
  readonly oldest: Date | undefined;
}

/**
 * Sets the gauges of one outbox, by `service.collection`; where its store is away nothing is told of it, rather than what was so
 * before.
 */
export function outboxSample(
  { outboxPending, outboxOldest }: Pick<EventGauges, "outboxPending" | "outboxOldest">,
  service: string,
  clock: Clock,
  backlog: () => Promise<Backlog>,
): () => Promise<void> {
  let told: { readonly collection: string } | undefined;
  return async () => {
    try {
      const { collection: name, pending, oldest } = await backlog();
      told = { collection: `${service}.${name}` };
      const ageMs = oldest === undefined ? 0 : clock.now().getTime() - oldest.getTime();
      outboxPending.set(told, pending);
      outboxOldest.set(told, Math.max(0, ageMs) / 1000);
    } catch (error) {
      if (told !== undefined) for (const gauge of [outboxPending, outboxOldest]) gauge.remove(told);
      throw error;
    }
  };
}

/** Keeps gauges fresh beside the scrapes, which then wait for nobody. */
export class Sampler {
  readonly #samples: readonly (() => Promise<void>)[];
  readonly #log: Logger;
  readonly #sampling: Periodic;

  /** @param samples each sets its gauges, and forgets them before it fails */
  constructor(samples: readonly (() => Promise<void>)[], log: Logger) {
    this.#samples = samples;
    this.#log = log;
    this.#sampling = new Periodic(() => this.#sample(), { everyMs, log, failed: "gauges could not be read" });
  }

  start(): void {
    this.#sampling.start();
    void this.#sampling.kick();
  }

  async #sample(): Promise<void> {
    await Promise.all(this.#samples.map((sample) => sample().catch((error: unknown) => this.#tell(error))));
  }

  #tell(error: unknown): void {
    this.#log.debug({ err: error }, "a gauge could not be read");
  }

  close(): Promise<void> {
    return this.#sampling.close();
  }
}
