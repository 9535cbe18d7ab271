import { partsOf } from "@registry/kit";
import { before, dayMs } from "./model/time.ts";
import type { Parts } from "./parts.ts";

export interface Popularity {
  readonly plugin: string;
  readonly downloadCount: number;
}

export interface Trend {
  readonly plugin: string;
  readonly downloads: number;
  readonly downloadsBefore: number;
  readonly score: number;
}

const checkedAtOnce = 200;
const byName = (a: { readonly plugin: string }, b: { readonly plugin: string }): number =>
  a.plugin < b.plugin ? -1 : 1;

/**
 * The most downloaded plugins of the last days, to the hour. Equal counts are in order of name.
 * @param all whether plugins that are not public are shown
 */
export async function mostDownloaded(parts: Parts, days: number, limit: number, all: boolean): Promise<Popularity[]> {
  const counts = await parts.windows.downloads(before(parts.clock.now(), days * dayMs));
  const ranked = [...counts]
    .map(([plugin, downloadCount]) => ({ plugin, downloadCount }))
    .sort((a, b) => b.downloadCount - a.downloadCount || byName(a, b));
  return firstShown(parts, ranked, limit, all);
}

/**
 * The plugins whose downloads grew most against as many days before, to the hour. What grew is divided by the square root
 * of what was there, which is about how far that number moves by chance: so neither the largest plugins nor those that
 * went from one download to three are always first. Equal scores are in order of downloads, then of name.
 * @param all whether plugins that are not public are shown
 */
export async function mostGrown(parts: Parts, days: number, limit: number, all: boolean): Promise<Trend[]> {
  const now = parts.clock.now();
  const [since, sinceBefore] = [before(now, days * dayMs), before(now, 2 * days * dayMs)];
  const [counts, countsBefore] = await Promise.all([
    parts.windows.downloads(since),
    parts.windows.downloads(sinceBefore, since),
  ]);
  const ranked = [...counts]
    .map(([plugin, downloads]) => trendOf(plugin, downloads, countsBefore.get(plugin) ?? 0))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score || b.downloads - a.downloads || byName(a, b));
  return firstShown(parts, ranked, limit, all);
}

function trendOf(plugin: string, downloads: number, downloadsBefore: number): Trend {
  const score = (downloads - downloadsBefore) / Math.sqrt(downloadsBefore + 1);
  return { plugin, downloads, downloadsBefore, score: Math.round(score * 1000) / 1000 };
}

async function firstShown<T extends { readonly plugin: string }>(
  parts: Parts,
  order: readonly T[],
  limit: number,
  all: boolean,
): Promise<T[]> {
  const shown: T[] = [];
  for (const some of partsOf(order, checkedAtOnce)) {
    if (shown.length >= limit) break;
    const names = await parts.plugins.shownAmong(
      some.map(({ plugin }) => plugin),
      all,
    );
    shown.push(...some.filter(({ plugin }) => names.has(plugin)));
  }
  return shown.slice(0, limit);
}
