import { Counter, collectDefaultMetrics, Histogram, Registry } from "prom-client";
import { createEventGauges, type EventGauges } from "./gauges.ts";

/** Counters and histograms of one process, with few labels. */
export interface Metrics {
  readonly registry: Registry;
  readonly rpcDuration: Histogram<"rpc" | "outcome">;
  /** Refusals that the audit log was spared, since their actor had made very many of them. */
  readonly auditSpared: Counter;
  readonly events: EventGauges;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const rpcDuration = new Histogram({
    name: "registry_rpc_duration_seconds",
    help: "Time that calls between services took, by RPC and outcome",
    labelNames: ["rpc", "outcome"] as const,
    buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60],
    registers: [registry],
  });
  const auditSpared = new Counter({
    name: "registry_audit_refusals_unrecorded_total",
    help: "Refused calls that are not in the audit log, since one actor made more of them than are recorded in a minute",
    registers: [registry],
  });
  return { registry, rpcDuration, auditSpared, events: createEventGauges(registry) };
}
