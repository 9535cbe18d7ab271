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
  /** As long as all of their parts are there for sure, in days; absent where parts are kept for good. */
  readonly days?: (retention: number) => number;
}

const untilSlicesGo = (retention: number): number => retention - 1;
/** Hours are kept two days longer. */
const untilHoursGo = (): number => 365;

/** From the bottom up. */
const tiers: readonly Tier[] = [
  { step: "hours", sums: ["hour"], parts: ["slice"], days: untilSlicesGo },
  { step: "days", sums: ["day", "client-day"], parts: ["hour"], days: untilHoursGo },
  {
    step: "searches",
    sums: ["search-day", "found-day", "empty-day"],
    parts: ["search-slice", "query-slice", "search-hour"],
    days: untilSlicesGo,
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
  { days }: Tier,
  places: readonly Place[],
  progress: RebuildProgress,
): Promise<void> {
  const { clock, config, rollups, rollupRepair } = parts;
  const since = days === undefined ? undefined : before(clock.now(), days(config.USAGE_RETENTION_DAYS) * dayMs);
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
