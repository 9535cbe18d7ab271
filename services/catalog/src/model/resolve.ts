import {
  type Caller,
  compareVersions,
  highestInRange,
  parseVersionSpec,
  RegistryError,
  type VersionSpec,
  versionNotFound,
} from "@registry/domain";
import { maySeeState, maySeeTombstone } from "./access.ts";
import type { PluginDocument } from "./plugin.ts";
import type { ReleaseHead } from "./release.ts";

export const pluginGone = (): RegistryError =>
  new RegistryError("gone", "PLUGIN_DELETED", "This plugin was deleted; its name and versions are not given out again");
export const releaseGone = (): RegistryError =>
  new RegistryError("gone", "RELEASE_DELETED", "This version was deleted; it is not given out again");

/**
 * The release that a version, a range or a channel stands for. Ranges and channels choose among published releases only.
 * @param heads all releases of the plugin, which the caller may see
 * @throws `not_found` VERSION_NOT_FOUND, `gone` RELEASE_DELETED, `invalid_argument` INVALID_VERSION
 */
export function resolveVersion(
  plugin: PluginDocument,
  heads: readonly ReleaseHead[],
  asked: string,
  caller: Caller,
): ReleaseHead {
  const spec = parseVersionSpec(asked);
  const found = heads.find((head) => head.version === versionOf(spec, plugin, heads));
  if (found?.state === "deleted" && maySeeTombstone(caller, plugin, found)) throw releaseGone();
  if (found === undefined || !maySeeState(caller, plugin, found)) throw versionNotFound();
  return found;
}

function versionOf(spec: VersionSpec, plugin: PluginDocument, heads: readonly ReleaseHead[]): string | undefined {
  switch (spec.type) {
    case "exact":
      return spec.version;
    case "channel":
      return Object.hasOwn(plugin.channels, spec.channel) ? plugin.channels[spec.channel] : undefined;
    case "range": {
      const published = heads.filter((head) => head.state === "published").map((head) => head.version);
      return highestInRange(published, spec.range);
    }
    default:
      return spec satisfies never;
  }
}

/** Highest version first. */
export function byVersion(heads: readonly ReleaseHead[]): ReleaseHead[] {
  return [...heads].sort((a, b) => compareVersions(b.version, a.version));
}

/** Newest first; what was never published comes before all others. */
export function byAge(heads: readonly ReleaseHead[]): ReleaseHead[] {
  const time = (head: ReleaseHead): number => head.publishedAt?.getTime() ?? Number.MAX_SAFE_INTEGER;
  return [...heads].sort((a, b) => time(b) - time(a) || compareVersions(b.version, a.version));
}
