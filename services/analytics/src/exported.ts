import { CountedElsewhere, isRecent, type Metrics, type Reading } from "@registry/kit";
import type { Parts } from "./parts.ts";
import { downloadRows } from "./usecases/get-metrics.ts";

interface Counts {
  readonly plugins: readonly Reading[];
  readonly downloads: readonly Reading[];
  readonly searches: readonly Reading[];
}

const nothing: Counts = { plugins: [], downloads: [], searches: [] };
/** However many scrape, the store is asked no more often. */
const maxAgeMs = 2000;
/** A scrape waits no longer for the store; what was known before is told then. */
const patienceMs = 3000;

export interface Telling {
  /** Scrapers bring no credential, so where every read needs one they are told no name. */
  readonly names: boolean;
  /** Whether this replica is the one that tells: the others have no series of these. */
  readonly speaks: () => boolean;
}

/** Counts of the whole registry for scrapers, told once however many replicas there are. */
export function exportCounts(parts: Parts, metrics: Metrics, { names, speaks }: Telling): void {
  const { clock, log } = parts;
  let known = nothing;
  let asked: { readonly at: number; readonly counts: Promise<Counts> } | undefined;
  const ask = async (): Promise<Counts> => {
    try {
      known = await inTime(read(parts, names));
    } catch (err) {
      log.warn({ err }, "counts for scrapers are those of a moment ago");
    }
    return known;
  };
  const counts = async (): Promise<Counts> => {
    if (!speaks()) return nothing;
    if (asked === undefined || !isRecent(clock, asked.at, maxAgeMs)) {
      asked = { at: clock.now().getTime(), counts: ask() };
    }
    return asked.counts;
  };
  const registers = [metrics.registry];
  new CountedElsewhere({
    name: "registry_plugin_downloads_total",
    help: "Downloads by public plugin and version; all others are _private, public ones beyond the first thousand _other",
    labelNames: ["plugin", "version"],
    registers,
    read: async () => (await counts()).plugins,
  });
  new CountedElsewhere({
    name: "registry_downloads_total",
    help: "Downloads of all plugins",
    registers,
    read: async () => (await counts()).downloads,
  });
  new CountedElsewhere({
    name: "registry_searches_total",
    help: "Searches",
    registers,
    read: async () => (await counts()).searches,
  });
}

async function read(parts: Parts, names: boolean): Promise<Counts> {
  const [{ totalDownloads, downloads }, searches] = await Promise.all([downloadRows(parts), parts.rollups.searches()]);
  const rows = names ? downloads : [];
  const named = rows.reduce((sum, row) => sum + row.downloads, 0);
  // Rows are read a moment apart from their total, so the rest may be less than nothing.
  const rest = Math.max(0, totalDownloads - named);
  return {
    plugins: [
      ...rows.map(({ plugin, version, downloads: value }) => ({ labels: { plugin, version }, value })),
      ...(rest > 0 ? [{ labels: { plugin: names ? "_other" : "_private", version: "" }, value: rest }] : []),
    ],
    downloads: [{ labels: {}, value: totalDownloads }],
    searches: [{ labels: {}, value: searches }],
  };
}

async function inTime<T>(work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error("the store did not answer in time")), patienceMs);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
