import { performance } from "node:perf_hooks";
import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";
import { type CacheFigures, exportCaches } from "./metrics/caches.ts";
import { exportCertificates } from "./metrics/certificates.ts";
import { CountedElsewhere } from "./metrics/counted-elsewhere.ts";
import { RpcMetrics } from "./metrics/rpc.ts";

/** Counters, gauges and histograms of one process, with few labels of few values. */
export interface Metrics {
  readonly registry: Registry;
  /** Calls that were answered here. */
  readonly served: RpcMetrics;
  /** Calls that were made from here, to services of this process too. */
  readonly called: RpcMetrics;
  /** Calls that found their service away and were made once more. */
  readonly retries: Counter<"service" | "method">;
  /** Refusals that the audit log was spared, since their actor had made very many of them. */
  readonly auditSpared: Counter;
  /** What was refused since there was too much of it, by the limit's name. */
  readonly rateLimited: Counter<"limit">;
  /** Shows how a cache does, under a name of its own. */
  showCache(name: string, figures: () => CacheFigures): void;
  /** Shows when a certificate ends, by what it is used for. */
  showCertificate(use: string, expires: () => Date): void;
}

/** What prom-client calls totals although they go down; `nodejs_active_{handles,requests,resources}` tell the same by type. */
const misnamed = ["nodejs_active_handles_total", "nodejs_active_requests_total", "nodejs_active_resources_total"];

/** @param version of the program */
export function createMetrics(version = "unknown"): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  for (const name of misnamed) registry.removeSingleMetric(name);
  const registers = [registry];
  new Gauge({
    name: "registry_build_info",
    help: "The registry's version, always 1",
    labelNames: ["version"],
    registers,
  }).set({ version }, 1);
  new CountedElsewhere({
    name: "registry_event_loop_active_seconds_total",
    help: "Time that the event loop was at work; its rate is the share of a core that JavaScript takes",
    registers,
    read: () => [{ labels: {}, value: performance.eventLoopUtilization().active / 1000 }],
  });
  return {
    registry,
    served: new RpcMetrics("server", registry),
    called: new RpcMetrics("client", registry),
    retries: new Counter({
      name: "registry_grpc_client_retries_total",
      help: "Calls that found their service away and were made once more",
      labelNames: ["service", "method"],
      registers,
    }),
    auditSpared: new Counter({
      name: "registry_audit_refusals_unrecorded_total",
      help: "Refused calls that are not in the audit log, since one actor made more of them than are recorded in a minute",
      registers,
    }),
    rateLimited: new Counter({
      name: "registry_rate_limited_total",
      help: "What was refused since there was too much of it, by limit",
      labelNames: ["limit"],
      registers,
    }),
    showCache: exportCaches(registry),
    showCertificate: exportCertificates(registry),
  };
}
