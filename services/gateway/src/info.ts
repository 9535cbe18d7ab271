import { type Plugin, type PluginDetails, type Release, ReleaseState } from "@registry/contracts/catalog";
import { type Caller, isPluginName } from "@registry/domain";
import type { Links } from "./links.ts";
import { type Answer, jsonText } from "./route.ts";
import { checksOf, deprecationFields, reviewFields } from "./verdicts.ts";
import { isListed, orNull, reachOf, stateWord, timeText, visibilityWord } from "./words.ts";

/** What an info is made for. */
export interface InfoContext {
  readonly origin: string;
  readonly caller: Caller;
  readonly links: Links;
}

type Json = Readonly<Record<string, unknown>>;

/** Joins an object's fields with ones whose values are JSON text already, so that stored manifests are not re-shaped. */
function splice(fields: Json, texts: Readonly<Record<string, string>>): string {
  const parts = Object.entries(texts).map(([key, text]) => `${JSON.stringify(key)}:${text}`);
  const start = JSON.stringify(fields);
  return `${start.slice(0, -1)}${start === "{}" ? "" : ","}${parts.join(",")}}`;
}

function manifestText(release: Release | undefined): string {
  return release === undefined || release.manifestJson === "" ? "{}" : release.manifestJson;
}

/** The columns that a plugin has whichever release is looked at. */
export function pluginFields(plugin: Plugin): Json {
  return {
    name: plugin.name,
    title: plugin.title,
    description: plugin.description,
    kind: plugin.kind,
    type: plugin.kind,
    author: plugin.author?.name ?? "",
    license: orNull(plugin.license),
    homepage: orNull(plugin.homepage),
    repository: orNull(plugin.repository),
    documentation: orNull(plugin.documentation),
    tags: plugin.tags,
    capabilities: plugin.capabilities,
    category: orNull(plugin.category),
    owner: plugin.owner,
    owner_type: plugin.ownerType === "organisation" ? "organisation" : "user",
    team: orNull(plugin.team),
    visibility: visibilityWord(plugin.visibility),
    verified: plugin.verified,
    created_at: timeText(plugin.createdAt),
    updated_at: timeText(plugin.updatedAt),
    downloads: plugin.downloads,
    total_downloads: plugin.downloads,
    rating: plugin.rating ?? null,
    latest_version: plugin.latest,
    channels: plugin.channels,
    deprecation: deprecationFields(plugin.deprecation),
  };
}

/** A release as it stands in a list. */
export function releaseText(release: Release, { origin, links }: InfoContext, more: Json = {}): string {
  const { plugin, version } = release;
  const fields = {
    version,
    package_url: isPluginName(plugin) ? links.package(origin, plugin, version, release.container) : null,
    downloads: release.downloads,
    published_at: timeText(release.publishedAt),
    published_by: release.publishedBy,
    sha256: release.sha256,
    size: release.size,
    state: stateWord(release.state),
    format: release.format,
    container: release.container,
    reason: orNull(release.reason),
    yanked: release.state === ReleaseState.RELEASE_STATE_YANKED,
    deprecation: deprecationFields(release.deprecation),
    checks: checksOf(release),
    review: reviewFields(release.review),
    ...more,
  };
  return splice(fields, { manifest: manifestText(release) });
}

/** One release by itself, as what changes it answers. */
export function releaseAnswer(release: Release | undefined, context: InfoContext): Answer {
  if (release === undefined) throw new TypeError("the catalog answered without a release");
  return jsonText(releaseText(release, context, { plugin: release.plugin }));
}

/** A plugin's info: the fields of the guide and those of its client at once, as JSON text. */
export function infoText(details: PluginDetails, context: InfoContext): string {
  const { plugin, release } = details;
  if (plugin === undefined) throw new TypeError("the catalog answered without a plugin");
  const manifest = shownManifest(plugin, release);
  const fields = {
    ...pluginFields(plugin),
    version: release?.version ?? plugin.latest,
    sha256: release?.sha256 ?? null,
    size: release?.size ?? null,
    latest_version: plugin.latest === "" ? (release?.version ?? "") : plugin.latest,
    versions: details.versions,
    manifest,
    dependencies_graph: { [plugin.name]: dependencyNames(manifest) },
    readme: release?.readme ?? null,
    changelog: release?.changelog ?? null,
    download_url: downloadUrl(plugin, release, context),
  };
  return splice(fields, { releases: `[${details.releases.map((each) => releaseText(each, context)).join(",")}]` });
}

function downloadUrl(
  plugin: Plugin,
  release: Release | undefined,
  { origin, caller, links }: InfoContext,
): string | null {
  if (release === undefined || !isPluginName(plugin.name)) return null;
  const { version, sha256, container } = release;
  const target = { name: plugin.name, version, sha256, container, visibility: reachOf(release, plugin.visibility) };
  return links.download(origin, { ...target, counted: isListed(release.state) }, caller);
}

/** An AgentiCraft manifest carries what the registry alone may say, whatever its author wrote. */
function shownManifest(plugin: Plugin, release: Release | undefined): Json {
  const manifest = JSON.parse(manifestText(release)) as Json;
  if (release?.format !== "agenticraft") return manifest;
  return {
    ...manifest,
    published_at: timeText(release.publishedAt),
    updated_at: timeText(plugin.updatedAt),
    downloads: plugin.downloads,
    rating: plugin.rating ?? null,
    verified: plugin.verified,
  };
}

function dependencyNames(manifest: Json): string[] {
  const { requirements } = manifest;
  if (typeof requirements !== "object" || requirements === null) return [];
  const { dependencies } = requirements as { dependencies?: unknown };
  if (!Array.isArray(dependencies)) return [];
  return dependencies.flatMap((each: unknown) => {
    const name = typeof each === "object" && each !== null ? (each as { name?: unknown }).name : each;
    return typeof name === "string" ? [name] : [];
  });
}

/** The nine keys that the client's search result has, all of them and no others. */
export function searchResult(plugin: Plugin): Json {
  return {
    name: plugin.name,
    version: plugin.latest,
    type: plugin.kind,
    title: plugin.title,
    description: plugin.description,
    author: plugin.author?.name ?? "",
    downloads: plugin.downloads,
    rating: plugin.rating ?? null,
    verified: plugin.verified,
  };
}
