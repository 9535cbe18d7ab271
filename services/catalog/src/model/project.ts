import { isDeepStrictEqual } from "node:util";
import { isChannelName, latestOf, type Version } from "@registry/domain";
import { type Needing, needsOf } from "./dependencies.ts";
import { type Descriptive, nothingDescribed } from "./descriptive.ts";
import type { Pin, PluginDocument, Projection } from "./plugin.ts";
import type { ReleaseHead } from "./release.ts";

type Pins = PluginDocument["pins"];

/** Channels moved by hand, those that publishes asked for included; what they point to must still be published. */
export function pinsOf(plugin: Pick<PluginDocument, "pins">, heads: readonly ReleaseHead[]): Pins {
  const published = new Set(heads.filter((head) => head.state === "published").map((head) => head.version));
  const pins = new Map<string, Pin>(Object.entries(plugin.pins));
  for (const head of heads) {
    const { channel, channelRevision: revision = 0, state, version } = head;
    if (channel === undefined || state !== "published" || !isChannelName(channel)) continue;
    if (revision > (pins.get(channel)?.revision ?? 0)) pins.set(channel, { version, revision });
  }
  return Object.fromEntries([...pins].filter(([, pin]) => published.has(pin.version)));
}

/** Where the channel `latest` stands. */
export function latestFor(pins: Pins, heads: readonly ReleaseHead[]): Version | "" {
  const published = heads.filter((head) => head.state === "published").map((head) => head.version);
  return pins.latest?.version ?? latestOf(published) ?? "";
}

/**
 * @param needing the same releases, with what they need
 * @param described what the release that `latest` names says; undefined leaves the plugin as it is described
 */
export function project(
  plugin: PluginDocument,
  heads: readonly ReleaseHead[],
  pins: Pins,
  needing: readonly Needing[],
  described: Descriptive | undefined,
): Projection {
  const latest = latestFor(pins, heads);
  const channels = Object.entries(pins).map(([channel, pin]) => [channel, pin.version] as const);
  const shown = described ?? descriptiveOf(plugin);
  return {
    ...shown,
    title: plugin.overrides.title ?? shown.title,
    description: plugin.overrides.description ?? shown.description,
    latest,
    channels: Object.fromEntries(latest === "" ? channels : [...channels, ["latest", latest] as const]),
    listed: heads.filter((head) => head.state === "published" || head.state === "yanked").length,
    tombstones: heads.filter((head) => head.state === "deleted" && head.publishedAt !== undefined).length,
    needs: needsOf(latest, needing),
  };
}

function descriptiveOf(plugin: Descriptive): Descriptive {
  const fields = Object.keys(nothingDescribed) as (keyof Descriptive)[];
  return Object.fromEntries(fields.map((field) => [field, plugin[field]])) as unknown as Descriptive;
}

/** True if the plugin says already what the projection says. */
export function isProjected(plugin: PluginDocument, projection: Projection, pins: Pins): boolean {
  const fields = Object.keys(projection) as (keyof Projection)[];
  return (
    isDeepStrictEqual(plugin.pins, pins) && fields.every((field) => isDeepStrictEqual(plugin[field], projection[field]))
  );
}
