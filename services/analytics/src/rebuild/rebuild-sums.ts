import { placesOf, type Spot } from "../model/batch.ts";
import type { Level, Place, Rollup } from "../model/rollup.ts";
import { before, dayMs } from "../model/time.ts";
import type { RebuildParts } from "./parts.ts";
import type { RebuildProgress } from "./progress.ts";
import { isOldLeaf } from "./rebuild-leaves.ts";
import { settle } from "./settle.ts";

const placesAtOnce = 100;

/** Sums that are set right together, once what they are the sums of is right. */
interface Tier {
  readonly step: string;
  readonly sums: readonly Level[];
  readonly parts: readonly Level[];
  /** Since when all of their parts are there for sure; absent where parts are kept for good. */
  readonly since?: (parts: RebuildParts) => Promise<Date>;
}

async function slicesSince({ clock, config, trims }: RebuildParts): Promise<Date> {
  const kept = before(clock.now(), (config.USAGE_RETENTION_DAYS - 1) * dayMs);
  const gone = await trims.before("slices");
  return kept > gone ? kept : gone;
}
/** They are kept two days longer. */
const hoursSince = async ({ clock }: RebuildParts): Promise<Date> => before(clock.now(), 365 * dayMs);

/** From the bottom up. */
const tiers: readonly Tier[] = [
  { step: "hours", sums: ["hour"], parts: ["slice"], since: slicesSince },
  { step: "days", sums: ["day", "client-day"], parts: ["hour"], since: hoursSince },
  {
    step: "searches",
    sums: ["search-day", "found-day", "empty-day"],
    parts: ["search-slice", "query-slice", "search-hour"],
    since: slicesSince,
  },
  { step: "months", sums: ["plugin-day", "month"], parts: ["day"] },
  { step: "totals", sums: ["version"], parts: ["month", "day"] },
  { step: "totals", sums: ["plugin", "searches"], parts: ["version", "search-day"] },
];

/** Sets right whatever is a sum; what has outlived its parts counts for itself. */
export async function rebuildSums(parts: RebuildParts, progress: RebuildProgress): Promise<void> {
  for (const tier of tiers) {
    progress.step(tier.step);
    const check = (places: readonly Place[]) => checkSums(parts, tier, places, progress);
    // First those that should be there because of their parts, then those that are.
    for (const level of tier.parts) await eachPage(parts, level, progress, (page) => check(sumsOf(tier, page)));
    for (const level of tier.sums) await eachPage(parts, level, progress, check);
  }
}

async function eachPage(
  { rollupRepair }: RebuildParts,
  level: Level,
  progress: RebuildProgress,
  look: (page: readonly Rollup[]) => Promise<void>,
): Promise<void> {
  for (let after = ""; ; ) {
    const page = await rollupRepair.page(level, after, placesAtOnce);
    await look(page);
    await progress.checked(page.length);
    after = page.at(-1)?._id ?? "";
    if (page.length < placesAtOnce) return;
  }
}

function sumsOf({ sums }: Tier, page: readonly Rollup[]): Place[] {
  const found = new Map<string, Place>();
  for (const part of page) {
    const above = placesOf(spotOf(part)).above.flat();
    for (const place of above) {
      if (sums.includes(place.level) && part.up.includes(place._id)) found.set(place._id, place);
    }
  }
  return [...found.values()];
}

/** Where it is counted follows from what it says of itself. */
function spotOf({ _id, level, plugin, version, client, query, start }: Rollup): Spot {
  const time = start ?? new Date(0);
  if (plugin !== undefined) return { time, plugin, version: version ?? "", ...(client && { client }) };
  if (level === "search-hour") return { time, query: "" };
  return { time, query: query ?? "", found: !/^query-slice\|[^|]*\|empty\|/.test(_id) };
}

async function checkSums(
  parts: RebuildParts,
  tier: Tier,
  places: readonly Place[],
  progress: RebuildProgress,
): Promise<void> {
  const { rollups, rollupRepair } = parts;
  const since = await tier.since?.(parts);
  const due = places.filter(
    (place) => !isOldLeaf(place) && (since === undefined || (place.start !== undefined && place.start >= since)),
  );
  const [counts, sums] = [await rollupRepair.countsOf(due.map(({ _id }) => _id)), await rollups.sumsBelow(due)];
  for (const place of due) {
    if ((counts.get(place._id) ?? 0) === (sums.get(place._id) ?? 0)) continue;
    const truth = async (): Promise<number> => (await rollups.sumsBelow([place])).get(place._id) ?? 0;
    if (await settle(parts, place, truth)) progress.mended("rollups");
  }
}
