import { performance } from "node:perf_hooks";
import { Gauge, Histogram, type Registry } from "prom-client";

const help = {
  server: { duration: "Time that RPCs took to be answered here", inFlight: "RPCs that are being answered here" },
  client: {
    duration: "Time that RPCs took that were called from here",
    inFlight: "RPCs that were called from here and are not answered yet",
  },
} as const;

/** RPCs of one side, over the wire or within the process, by service and method; the code is gRPC's name of the status. */
export class RpcMetrics {
  readonly #duration: Histogram<"service" | "method" | "code">;
  readonly #inFlight: Gauge<"service" | "method">;

  constructor(side: "server" | "client", registry: Registry) {
    this.#duration = new Histogram({
      name: `registry_grpc_${side}_duration_seconds`,
      help: help[side].duration,
      labelNames: ["service", "method", "code"],
      buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60],
      registers: [registry],
    });
    this.#inFlight = new Gauge({
      name: `registry_grpc_${side}_in_flight`,
      help: help[side].inFlight,
      labelNames: ["service", "method"],
      registers: [registry],
    });
  }

  /** @returns what is to be called when the call ends, with its code; only the first time counts */
  begin(service: string, method: string): (code: string) => void {
    const call = { service, method };
    const startedAt = performance.now();
    let ended = false;
    this.#inFlight.inc(call);
    return (code) => {
      if (ended) return;
      ended = true;
      this.#inFlight.dec(call);
      this.#duration.observe({ ...call, code }, (performance.now() - startedAt) / 1000);
    };
  }
}
