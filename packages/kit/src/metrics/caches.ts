import { Gauge, type Registry } from "prom-client";
import { CountedElsewhere, type Reading } from "./counted-elsewhere.ts";

/** How a cache does. Hits and misses only grow. */
export interface CacheFigures {
  readonly hits: number;
  readonly misses: number;
  readonly entries: number;
  /** Where the cache is bounded by them. */
  readonly bytes?: number;
}

/** @returns what has a cache shown under its name */
export function exportCaches(registry: Registry): (name: string, figures: () => CacheFigures) => void {
  const caches = new Map<string, () => CacheFigures>();
  const read = (figure: keyof CacheFigures) => (): Reading[] =>
    [...caches].flatMap(([cache, figures]) => {
      const value = figures()[figure];
      return value === undefined ? [] : [{ labels: { cache }, value }];
    });
  const common = { labelNames: ["cache"], registers: [registry] };
  const hits = { name: "registry_cache_hits_total", help: "What a cache had", read: read("hits") };
  const misses = {
    name: "registry_cache_misses_total",
    help: "What a cache was asked for in vain",
    read: read("misses"),
  };
  for (const counter of [hits, misses]) new CountedElsewhere({ ...common, ...counter });
  const entries = { name: "registry_cache_entries", help: "What a cache holds", read: read("entries") };
  const bytes = { name: "registry_cache_bytes", help: "Memory that what a cache holds takes", read: read("bytes") };
  for (const { read: readings, ...gauge } of [entries, bytes]) {
    new Gauge({
      ...common,
      ...gauge,
      collect() {
        for (const { labels, value } of readings()) this.set(labels, value);
      },
    });
  }
  return (name, figures) => void caches.set(name, figures);
}
