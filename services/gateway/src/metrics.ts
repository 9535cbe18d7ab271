import type { Metrics } from "@registry/kit";
import { Histogram } from "prom-client";

type Observer = (status: number, seconds: number) => void;

/** How long requests took, by method, route and status. */
export class RequestTimes {
  readonly #histogram: Histogram<"method" | "endpoint" | "status">;

  constructor(metrics: Metrics) {
    this.#histogram = new Histogram({
      name: "registry_api_request_duration_seconds",
      help: "API request duration",
      labelNames: ["method", "endpoint", "status"],
      buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60],
      registers: [metrics.registry],
    });
  }

  observe(method: string, endpoint: string, status: number, seconds: number): void {
    this.#histogram.observe({ method, endpoint, status: String(status) }, seconds);
  }

  /** Finds the series once, for routes that are asked often. */
  observerOf(method: string, endpoint: string): Observer {
    const series = new Map<number, { observe(seconds: number): void }>();
    return (status, seconds) => {
      const known = series.get(status) ?? this.#histogram.labels(method, endpoint, String(status));
      series.set(status, known);
      known.observe(seconds);
    };
  }
}
