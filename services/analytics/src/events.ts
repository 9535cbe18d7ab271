import type { Event } from "@registry/bus";
import { type DownloadTotal, encodeEvent } from "@registry/contracts/events";
import type { Rollup } from "./model/rollup.ts";

export const countedSubject = "registry.analytics.downloads.counted";

/** Versions in one event; with names of usual length this is a fifth of what the bus carries. */
const maxEntries = 2000;

export interface PluginTotals {
  readonly total: Rollup;
  readonly versions: readonly Rollup[];
}

/** Splits totals into parts that fit an event; a plugin of very many versions is told in several. */
export function eventSized(totals: readonly PluginTotals[]): DownloadTotal[][] {
  const parts: DownloadTotal[][] = [];
  let room = 0;
  for (const { total, versions } of totals) {
    for (let from = 0; from === 0 || from < versions.length; from += maxEntries) {
      const some = versions.slice(from, from + maxEntries);
      if (parts.length === 0 || some.length + 1 > room) {
        parts.push([]);
        room = maxEntries + 1;
      }
      room -= some.length + 1;
      const counts = Object.fromEntries(some.map(({ version, count }) => [version ?? "", count]));
      parts.at(-1)?.push({ plugin: total.plugin ?? "", downloads: total.count, versions: counts });
    }
  }
  return parts;
}

export function downloadsCounted(id: string, time: Date, totals: DownloadTotal[]): Event {
  const data = encodeEvent(countedSubject, { totals });
  return { id, subject: countedSubject, source: "/services/analytics", time, about: "", data };
}
