import { invalid, isLongerThan, pluginNotFound } from "@registry/domain";
import type { PluginDocument } from "../model/plugin.ts";
import type { ReleaseHead } from "../model/release.ts";
import { assertReason } from "../model/texts.ts";
import type { Parts } from "../parts.ts";
import { untilWritten } from "../retry.ts";
import type { Burial } from "../store/releases.ts";

/** Staged ones that wait for nothing are somebody's publish under way, which decides for itself. */
export function isStanding({ state, waiting }: ReleaseHead): boolean {
  return state === "published" || state === "yanked" || state === "quarantined" || waiting !== undefined;
}

/** @throws `invalid_argument` INVALID_REASON */
export function readReason(reason: string): string {
  assertReason(reason);
  if (!isLongerThan(reason, 500)) return reason;
  throw invalid("INVALID_REASON", "reason: use up to 500 characters", "/reason");
}

type End = Omit<Burial, "revision" | "at">;

/**
 * Makes a release a tombstone, with the event that tells of it.
 * @returns false if it is no longer as it was seen
 */
export async function buryRelease(parts: Parts, plugin: PluginDocument, head: ReleaseHead, end: End): Promise<boolean> {
  const at = parts.clock.now();
  // Nobody is told of the end of what was never seen.
  if (head.publishedAt === undefined) return parts.releases.bury(head, { ...end, at }, undefined);
  const reserved = await parts.plugins.reserve(plugin._id);
  if (reserved === null) throw pluginNotFound();
  const revision = reserved.sequence;
  const event = parts.events.make("registry.catalog.release.deleted", plugin._id, {
    plugin: plugin._id,
    version: head.version,
    sha256: head.sha256,
    deletedBy: end.by,
    revision,
  });
  return parts.releases.bury(head, { ...end, revision, at }, event);
}

/**
 * Ends a deletion that the plugin document tells of. Any replica may, any number of times.
 * @returns how many releases this call deleted
 */
export async function finishDeletion(parts: Parts, plugin: PluginDocument): Promise<number> {
  const { deletion } = plugin;
  if (deletion === undefined) return 0;
  const { by, reason } = deletion;
  let deleted = 0;
  await untilWritten(async () => {
    const standing = (await parts.releases.heads(plugin._id)).filter(isStanding);
    for (const head of standing) if (await buryRelease(parts, plugin, head, { by, reason })) deleted += 1;
    return standing.length === 0 ? true : undefined;
  });
  await parts.projector.project(plugin._id, (before) => {
    if (before.deletion === undefined) return undefined;
    return {
      set: { gone: true },
      unset: ["deletion"],
      event: (_after, revision) =>
        parts.events.make("registry.catalog.plugin.deleted", plugin._id, {
          plugin: plugin._id,
          deletedBy: deletion.by,
          revision,
        }),
    };
  });
  parts.kick();
  return deleted;
}
