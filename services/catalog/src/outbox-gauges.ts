import type { Relay } from "@registry/bus";
import { Sampler, type Surroundings } from "@registry/kit";

/** Keeps the gauges of this service's outboxes fresh. */
export function sampleOutboxes(
  relays: readonly Relay[],
  { metrics, clock, log }: Pick<Surroundings, "metrics" | "clock" | "log">,
): Sampler {
  const { outboxPending, outboxOldest } = metrics.events;
  const samples = relays.map((relay) => async () => {
    const { collection: name, pending, oldest } = await relay.backlog();
    const collection = `catalog.${name}`;
    const ageMs = oldest === undefined ? 0 : clock.now().getTime() - oldest.getTime();
    outboxPending.set({ collection }, pending);
    outboxOldest.set({ collection }, Math.max(0, ageMs) / 1000);
  });
  return new Sampler(samples, log);
}
