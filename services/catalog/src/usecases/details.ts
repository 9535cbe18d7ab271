import type { PluginDetails, Release } from "@registry/contracts/catalog";
import { type Caller, isVersion, pluginNotFound, versionNotFound } from "@registry/domain";
import { mostShown } from "../books.ts";
import { maySeeState, maySeeTombstone, seesHidden } from "../model/access.ts";
import type { PluginDocument } from "../model/plugin.ts";
import type { ReleaseHead } from "../model/release.ts";
import { byAge, byVersion, pluginGone, resolveVersion } from "../model/resolve.ts";
import type { Parts } from "../parts.ts";
import { toPlugin, toRelease, withoutReview } from "../wire.ts";

/**
 * A plugin that the caller may see, with its releases.
 * @param version as asked for; empty means `latest`, or the highest where no release is published
 * @throws `gone` PLUGIN_DELETED where every release was deleted
 */
export async function detailsOf(
  parts: Pick<Parts, "books">,
  plugin: PluginDocument,
  version: string,
  caller: Caller,
): Promise<PluginDetails> {
  const book = await parts.books.of(plugin);
  const visible = visibleTo(caller, plugin, book.heads);
  const head =
    version === "" && plugin.latest === "" && visible[0] !== undefined
      ? visible[0]
      : resolveVersion(plugin, book.heads, version, caller);
  const release = await parts.books.full(plugin, head.version);
  if (release === undefined) throw versionNotFound();
  const releases = byAge(visible).slice(0, mostShown);
  const shownTo = (each: Release): Release => (seesHidden(caller, plugin) ? each : withoutReview(each));
  return {
    plugin: toPlugin(plugin, caller),
    release: shownTo(release),
    releases: releases.map((shown) => shownTo(book.basics.get(shown.version) ?? toRelease(shown))),
    versions: visible.map((shown) => shown.version),
  };
}

/**
 * Highest version first.
 * @throws `gone` PLUGIN_DELETED, `not_found` PLUGIN_NOT_FOUND where there is none
 */
export function visibleTo(caller: Caller, plugin: PluginDocument, heads: readonly ReleaseHead[]): ReleaseHead[] {
  const visible = byVersion(heads.filter((head) => maySeeState(caller, plugin, head)));
  if (visible.length > 0) return visible;
  const buried = heads.some((head) => head.state === "deleted" && maySeeTombstone(caller, plugin, head));
  throw buried ? pluginGone() : pluginNotFound();
}

/** As `resolveVersion`, for a plugin of which all may be deleted: the version itself is told of first. */
export function resolveVisible(
  plugin: PluginDocument,
  heads: readonly ReleaseHead[],
  asked: string,
  caller: Caller,
): ReleaseHead {
  const exact = asked.trim();
  const known = heads.find((head) => head.version === exact);
  const buried = known?.state === "deleted" && maySeeTombstone(caller, plugin, known);
  if (isVersion(exact) && known !== undefined && (buried || maySeeState(caller, plugin, known))) {
    return resolveVersion(plugin, heads, exact, caller);
  }
  visibleTo(caller, plugin, heads);
  return resolveVersion(plugin, heads, asked, caller);
}
