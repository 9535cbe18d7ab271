import type { Relay } from "@registry/bus";
import { outboxSample, Sampler, type Surroundings } from "@registry/kit";

/** Keeps the gauges of this service's outboxes fresh. */
export function sampleOutboxes(
  relays: readonly Relay[],
  { metrics, clock, log }: Pick<Surroundings, "metrics" | "clock" | "log">,
): Sampler {
  const samples = relays.map((relay) => outboxSample(metrics.events, "catalog", clock, () => relay.backlog()));
  return new Sampler(samples, log);
}
