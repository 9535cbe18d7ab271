import type { Metrics } from "@registry/kit";
import { Counter, Gauge, Histogram } from "prom-client";

type Observer = (status: number, seconds: number) => void;

/** Methods that clients of the registry have a use for; the parser knows thirty more. */
const usual: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

/** Endpoint of requests whose path is no route's. */
export const unmatched = "unmatched";

/** How long requests took, by method, route and status, and how many are under way. */
export class RequestTimes {
  readonly #histogram: Histogram<"method" | "endpoint" | "status">;
  #underWay = 0;

  constructor(metrics: Metrics) {
    const registers = [metrics.registry];
    this.#histogram = new Histogram({
      name: "registry_api_request_duration_seconds",
      help: "API request duration",
      labelNames: ["method", "endpoint", "status"],
      buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60],
      registers,
    });
    const underWay = (): number => this.#underWay;
    new Gauge({
      name: "registry_api_requests_in_flight",
      help: "API requests that are not answered yet",
      registers,
      collect() {
        this.set(underWay());
      },
    });
  }

  /** @returns to be called once, when the request has ended, however it did */
  begin(): () => void {
    this.#underWay += 1;
    return () => {
      this.#underWay -= 1;
    };
  }

  /** @param endpoint the route's template, never what somebody typed */
  observe(method: string, endpoint: string, status: number, seconds: number): void {
    this.#histogram.observe({ method: nameOf(method), endpoint, status: String(status) }, seconds);
  }

  /** Finds the series once, for routes that are asked often. */
  observerOf(method: string, endpoint: string): Observer {
    const series = new Map<number, { observe(seconds: number): void }>();
    return (status, seconds) => {
      const known = series.get(status) ?? this.#histogram.labels(nameOf(method), endpoint, String(status));
      series.set(status, known);
      known.observe(seconds);
    };
  }
}

function nameOf(method: string): string {
  return usual.has(method) ? method : "other";
}

/** Bytes of packages that left through this gateway, parts of them included. */
export function countDownloadBytes(metrics: Metrics): (bytes: number) => void {
  const counter = new Counter({
    name: "registry_download_bytes_total",
    help: "Bytes of packages that were sent",
    registers: [metrics.registry],
  });
  return (bytes) => counter.inc(bytes);
}
