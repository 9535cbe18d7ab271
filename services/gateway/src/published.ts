import type { Plugin, PublishReleaseResponse, Release } from "@registry/contracts/catalog";
import { isPluginName, type PluginName } from "@registry/domain";
import { publishStatuses } from "./http-errors.ts";
import type { Parts } from "./parts.ts";
import { type Answer, type Call, json } from "./route.ts";
import { checksOf, findingsOf, reviewFields } from "./verdicts.ts";
import { isListed, reachOf, stateWord } from "./words.ts";

interface Outcome {
  readonly name: PluginName;
  readonly plugin: Plugin;
  readonly release: Release;
  readonly created: boolean;
}

function outcomeOf({ plugin, release, created }: PublishReleaseResponse): Outcome {
  if (plugin === undefined || release === undefined || !isPluginName(plugin.name)) {
    throw new TypeError("the catalog answered without a release");
  }
  return { name: plugin.name, plugin, release, created };
}

/** What a publish answers, for real or not. */
function commonFields(parts: Parts, { origin }: Call, { name, release }: Outcome) {
  const { version, sha256, size, state, container } = release;
  return {
    plugin: name,
    version,
    sha256,
    size,
    state: stateWord(state),
    url: `${origin}/api/v1/plugins/${name}/versions/${version}`,
    package_url: parts.links.package(origin, name, version, container),
    findings: findingsOf(release),
    checks: checksOf(release),
    review: reviewFields(release.review),
  };
}

/** 201 for what is new, 200 for what was there, 202 for what waits; whoever published sees it from now on. */
export function published(parts: Parts, call: Call, response: PublishReleaseResponse): Answer {
  const outcome = outcomeOf(response);
  const { name, plugin, release, created } = outcome;
  parts.changed(name);
  const fields = commonFields(parts, call, outcome);
  const { version, sha256, container } = release;
  const counted = isListed(release.state);
  const target = { name, version, sha256, container, counted, visibility: reachOf(release, plugin.visibility) };
  return json(
    { success: true, ...fields, download_url: parts.links.download(call.origin, target, call.caller) },
    { status: statusFor(fields.state, created), headers: { location: fields.url } },
  );
}

/** What a publish would have answered. Nothing changed, and there is nothing to download. */
export function tried(parts: Parts, call: Call, response: PublishReleaseResponse): Answer {
  const outcome = outcomeOf(response);
  const verdict = isListed(outcome.release.state) ? "accepted" : "held";
  const fields = commonFields(parts, call, outcome);
  return json({ success: true, dry_run: true, verdict, exists: !outcome.created, ...fields });
}

function statusFor(state: string, created: boolean): number {
  if (state === "staged") return publishStatuses.held;
  return created ? publishStatuses.published : 200;
}
