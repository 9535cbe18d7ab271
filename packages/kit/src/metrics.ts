import { collectDefaultMetrics, Histogram, Registry } from "prom-client";

/** Counters and histograms of one process, with few labels. */
export interface Metrics {
  readonly registry: Registry;
  readonly rpcDuration: Histogram<"rpc" | "outcome">;
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
  return { registry, rpcDuration };
}
