import { basename } from "node:path";
import type { Metrics } from "@registry/kit";
import { Counter, Gauge } from "prom-client";
import type { Use } from "./usage.ts";

/** What waits at this moment. */
export interface Waiting {
  readonly bytes: number;
  /** Of the file that was begun first. */
  readonly oldest: string | undefined;
}

export interface SpoolCounters {
  readonly spooled: Counter<"type">;
  readonly dropped: Counter;
}

const types: readonly Use["type"][] = ["download", "search"];

/** Shows what goes through the spool. @param now milliseconds */
export function exportSpool({ registry }: Metrics, waiting: () => Waiting, now: () => number): SpoolCounters {
  const registers = [registry];
  new Gauge({
    name: "registry_usage_pending_bytes",
    help: "Downloads and searches on this gateway's disk that analytics has not acknowledged",
    registers,
    collect() {
      this.set(waiting().bytes);
    },
  });
  new Gauge({
    name: "registry_usage_oldest_pending_seconds",
    help: "Age of the oldest file of downloads and searches that analytics has not acknowledged",
    registers,
    collect() {
      const { oldest } = waiting();
      this.set(oldest === undefined ? 0 : Math.max(0, now() - Number.parseInt(basename(oldest), 10)) / 1000);
    },
  });
  const spooled = new Counter({
    name: "registry_usage_spooled_total",
    help: "Downloads and searches that were answered and are to be counted",
    labelNames: ["type"],
    registers,
  });
  for (const type of types) spooled.inc({ type }, 0);
  const dropped = new Counter({
    name: "registry_usage_dropped_total",
    help: "Downloads and searches that could not be spooled and are not counted",
    registers,
  });
  return { spooled, dropped };
}
