import { dueOf, placesOf } from "../model/batch.ts";
import type { Level, Place } from "../model/rollup.ts";
import { before, dayMs, dayOf } from "../model/time.ts";
import { inParallel } from "../parallel.ts";
import type { RebuildParts } from "./parts.ts";
import type { RebuildProgress } from "./progress.ts";
import { settle, type Truth } from "./settle.ts";

const usagesAtOnce = 1000;
const placesAtOnce = 200;
const width = 16;
/** Leaves that are remembered as looked at; of one that is forgotten it is known again that it is right. */
const maxKnown = 200_000;
const leafLevels: readonly Level[] = ["slice", "search-slice", "query-slice", "hour", "search-hour"];

/**
 * From here on all single events are there, for a day at least: what is older counts for itself. Nothing that old is
 * taken any more either, so its counts stand still.
 */
async function openSince({ clock, config, trims }: RebuildParts): Promise<Date> {
  const oldest = before(clock.now(), (config.USAGE_RETENTION_DAYS - 1) * dayMs);
  const gone = await trims.before("events");
  return new Date(Math.max(dayOf(oldest).getTime() + dayMs, gone.getTime()));
}

/** Hours that an earlier release has counted by themselves. */
export const isOldLeaf = ({ level, client }: Place): boolean => level === "hour" && client === undefined;

/** Sets the leaves right that single events are there for, and each user's last use. */
export async function rebuildLeaves(parts: RebuildParts, progress: RebuildProgress): Promise<void> {
  const known = new Set<string>();
  const look = async (places: readonly Place[]): Promise<void> => {
    const since = await openSince(parts);
    const fresh = places.filter(({ _id, start }) => !known.has(_id) && start !== undefined && start >= since);
    if (known.size > maxKnown) known.clear();
    for (const { _id } of fresh) known.add(_id);
    await check(parts, fresh, progress);
  };
  progress.step("events");
  for await (const usages of parts.usagePages.from(await openSince(parts), usagesAtOnce)) {
    const due = dueOf(usages);
    await look(due.spots.flatMap((spot) => placesOf(spot).leaves));
    await noteUses(parts, due.users, progress);
    await progress.checked(usages.length);
  }
  progress.step("leaves");
  for (const level of leafLevels) {
    for (let after = ""; ; ) {
      const page = await parts.rollupRepair.page(level, after, placesAtOnce);
      await look(page.filter((place) => level !== "hour" || isOldLeaf(place)));
      await progress.checked(page.length);
      after = page.at(-1)?._id ?? "";
      if (page.length < placesAtOnce) break;
    }
  }
}

async function check(parts: RebuildParts, leaves: readonly Place[], progress: RebuildProgress): Promise<void> {
  const counts = await parts.rollupRepair.countsOf(leaves.map(({ _id }) => _id));
  const truth: Truth = (place) => parts.usages.countIn(place);
  await inParallel(leaves, width, async (leaf) => {
    if ((await truth(leaf)) === (counts.get(leaf._id) ?? 0)) return;
    if (await settle(parts, leaf, truth)) progress.mended("rollups");
  });
}

/** @param users who used something, and when last */
export async function noteUses(
  parts: RebuildParts,
  users: readonly { readonly userId: number; readonly at: Date }[],
  progress: Pick<RebuildProgress, "mended">,
): Promise<void> {
  const known = await parts.releaseRepair.lastUses(users.map(({ userId }) => userId));
  for (const { userId, at } of users) {
    const last = known.get(userId);
    if (last !== undefined && last >= at) continue;
    await parts.activities.note(userId, at);
    progress.mended("activities");
  }
}
