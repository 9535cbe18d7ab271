import type { Rollup } from "./model/rollup.ts";
import { before, dayMs, dayOf, hourOf } from "./model/time.ts";
import type { Parts } from "./parts.ts";

export interface Popularity {
  readonly plugin: string;
  readonly downloadCount: number;
}

const checkedAtOnce = 200;

/**
 * The most downloaded plugins of the last days, to the hour: whole days, and the hours of the day that the window begins
 * in. Equal counts are in order of name.
 * @param all whether plugins that are not public are shown
 */
export async function mostDownloaded(parts: Parts, days: number, limit: number, all: boolean): Promise<Popularity[]> {
  const since = before(parts.clock.now(), days * dayMs);
  const firstWholeDay = new Date(dayOf(since).getTime() + dayMs);
  const [wholeDays, hours] = await Promise.all([
    parts.rollups.between("plugin-day", firstWholeDay),
    parts.rollups.between("hour", hourOf(since), firstWholeDay),
  ]);
  return firstShown(parts, ranked([...wholeDays, ...hours]), limit, all);
}

function ranked(counts: readonly Rollup[]): Popularity[] {
  const sums = new Map<string, number>();
  for (const { plugin, count } of counts) {
    if (plugin !== undefined) sums.set(plugin, (sums.get(plugin) ?? 0) + count);
  }
  return [...sums]
    .map(([plugin, downloadCount]) => ({ plugin, downloadCount }))
    .sort((a, b) => b.downloadCount - a.downloadCount || (a.plugin < b.plugin ? -1 : 1));
}

async function firstShown(
  parts: Parts,
  order: readonly Popularity[],
  limit: number,
  all: boolean,
): Promise<Popularity[]> {
  const shown: Popularity[] = [];
  for (let from = 0; from < order.length && shown.length < limit; from += checkedAtOnce) {
    const some = order.slice(from, from + checkedAtOnce);
    const names = await parts.plugins.shownAmong(
      some.map(({ plugin }) => plugin),
      all,
    );
    shown.push(...some.filter(({ plugin }) => names.has(plugin)));
  }
  return shown.slice(0, limit);
}
