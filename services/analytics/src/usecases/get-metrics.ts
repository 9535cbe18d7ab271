import { isAdmin } from "@registry/domain";
import type { Rollup } from "../model/rollup.ts";
import { before, dayMs } from "../model/time.ts";
import type { Parts, UseCase } from "../parts.ts";
import { mostDownloaded } from "../popularity.ts";
import type { Publish } from "../store/publishes.ts";

const windowDays = 30;
const popularCount = 10;
const recentCount = 10;
const maxRows = 1000;
/** Read at once to find those that may be shown. */
const publishesAtOnce = 100;
const rowsAtOnce = 1000;
const maxPages = 20;

export const getMetrics: UseCase<"getMetrics"> = (parts) => async (_request, context) => {
  const all = isAdmin(context.caller);
  const since = before(parts.clock.now(), windowDays * dayMs);
  const [totalPlugins, totalSearches, activeUsers, popularPlugins, recentPublishes, downloads] = await Promise.all([
    parts.plugins.countPublic(),
    parts.rollups.searches(),
    parts.activities.countSince(since),
    mostDownloaded(parts, windowDays, popularCount, all),
    recent(parts, all),
    downloadRows(parts),
  ]);
  return { totalPlugins, totalSearches, activeUsers, popularPlugins, recentPublishes, ...downloads };
};

function recent(parts: Parts, all: boolean): Promise<Publish[]> {
  const read = (skip: number) => parts.publishes.newest(skip, publishesAtOnce);
  return firstShown(recentCount, publishesAtOnce, read, async (newest) => {
    const names = await parts.plugins.shownAmong([...new Set(newest.map(({ plugin }) => plugin))], all);
    return newest.filter(({ plugin }) => names.has(plugin));
  });
}

/**
 * The first that may be shown, read page by page.
 * @param atOnce size of a page that is not the last
 */
async function firstShown<T extends { readonly _id: string }>(
  limit: number,
  atOnce: number,
  read: (skip: number) => Promise<readonly T[]>,
  shownOf: (page: readonly T[]) => Promise<readonly T[]>,
): Promise<T[]> {
  // By id: what comes in between two pages moves the rest, and the next one begins with what was read.
  const shown = new Map<string, T>();
  for (let page = 0; page < maxPages && shown.size < limit; page++) {
    const found = await read(page * atOnce);
    for (const item of await shownOf(found)) shown.set(item._id, item);
    if (found.length < atOnce) break;
  }
  return [...shown.values()].slice(0, limit);
}

interface Row {
  readonly plugin: string;
  readonly version: string;
  readonly downloads: number;
}

/** The names of plugins that are not public appear for nobody: these numbers end up in monitoring. */
export async function downloadRows(parts: Parts): Promise<{ totalDownloads: number; downloads: Row[] }> {
  const [totals, names] = await Promise.all([parts.rollups.pluginTotals(), parts.plugins.publicNames()]);
  const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
  const totalDownloads = sum(totals.map(({ count }) => count));
  const hidden = sum(totals.filter(({ plugin }) => !names.has(plugin ?? "")).map(({ count }) => count));
  const rows = await publicRows(parts, names, hidden > 0 ? maxRows - 1 : maxRows);
  if (hidden > 0) rows.push({ plugin: "_private", version: "", downloads: hidden });
  return { totalDownloads, downloads: rows };
}

async function publicRows(parts: Parts, names: ReadonlySet<string>, limit: number): Promise<Row[]> {
  const read = (skip: number) => parts.rollups.versionTotals(skip, rowsAtOnce);
  const isPublic = ({ plugin }: Rollup): boolean => plugin !== undefined && names.has(plugin);
  const versions = await firstShown(limit, rowsAtOnce, read, async (page) => page.filter(isPublic));
  return versions.map(({ plugin = "", version = "", count }) => ({ plugin, version, downloads: count }));
}
