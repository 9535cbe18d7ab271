import { invalid } from "@registry/domain";
import { dueOf } from "../model/batch.ts";
import { before, dayMs } from "../model/time.ts";
import { usageOfDownload, usageOfSearch } from "../model/usage.ts";
import type { UseCase } from "../parts.ts";

const maxItems = 1000;

/**
 * Stores what is new and counts it, at once or a moment later. Items that can never be counted are left out, not refused:
 * the gateway would send the whole batch again for ever.
 */
export const recordUsage: UseCase<"recordUsage"> = (parts) => async (request, context) => {
  const given = request.downloads.length + request.searches.length;
  if (given > maxItems) throw invalid("TOO_MANY_ITEMS", `at most ${maxItems} downloads and searches in one call`);
  const now = parts.clock.now();
  // A day before the stored events go, so that each one that is taken is told from its repetitions.
  const window = { now, oldest: before(now, (parts.config.USAGE_RETENTION_DAYS - 1) * dayMs) };
  const usages = [
    ...request.downloads.map((download) => usageOfDownload(download, window)),
    ...request.searches.map((search) => usageOfSearch(search, window)),
  ].filter((usage) => usage !== undefined);
  if (usages.length < given) context.log.warn({ left: given - usages.length }, "malformed or too old usage left out");
  if (usages.length === 0) return { recorded: 0 };

  // What is known already is counted once more: whoever sends it again may have seen the first attempt end half done.
  const batch = { _id: parts.ids.unique(), since: now, ...dueOf(usages) };
  await parts.batches.begin(batch);
  const fresh = await parts.usages.insertNew(usages);
  await parts.folding.add(await parts.batches.keep(batch));
  return { recorded: fresh.length };
};
