import { invalid, pluginNotFound } from "@registry/domain";
import type { PluginDocument } from "../model/plugin.ts";
import type { ReleaseHead, ReleaseReview } from "../model/release.ts";
import type { Parts } from "../parts.ts";

/** Staged ones that wait for nothing are somebody's publish under way, which decides for itself. */
export function isStanding({ state, waiting }: ReleaseHead): boolean {
  return state === "published" || state === "yanked" || state === "quarantined" || waiting !== undefined;
}

/** @throws `invalid_argument` INVALID_REASON */
export function readReason(reason: string): string {
  if (reason.length <= 500) return reason;
  throw invalid("INVALID_REASON", "reason: use up to 500 characters", "/reason");
}

/**
 * Makes a release a tombstone, with the event that tells of it.
 * @returns false if it is one already
 */
export async function buryRelease(
  parts: Parts,
  plugin: PluginDocument,
  head: ReleaseHead,
  deletion: { readonly by: string; readonly reason: string; readonly review?: ReleaseReview },
): Promise<boolean> {
  const reserved = await parts.plugins.reserve(plugin._id);
  if (reserved === null) throw pluginNotFound();
  const revision = reserved.sequence;
  // Nobody is told of the end of what was never seen.
  const event =
    head.publishedAt === undefined
      ? undefined
      : parts.events.make("registry.catalog.release.deleted", plugin._id, {
          plugin: plugin._id,
          version: head.version,
          sha256: head.sha256,
          deletedBy: deletion.by,
          revision,
        });
  return parts.releases.bury(head._id, { ...deletion, revision, at: parts.clock.now() }, event);
}

/**
 * Ends a deletion that the plugin document tells of. Any replica may, any number of times.
 * @returns how many releases this call deleted
 */
export async function finishDeletion(parts: Parts, plugin: PluginDocument): Promise<number> {
  const { deletion } = plugin;
  if (deletion === undefined) return 0;
  let deleted = 0;
  for (const head of (await parts.releases.heads(plugin._id)).filter(isStanding)) {
    if (await buryRelease(parts, plugin, head, deletion)) deleted += 1;
  }
  await parts.projector.project(plugin._id, (before) => {
    if (before.deletion === undefined) return undefined;
    return {
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
