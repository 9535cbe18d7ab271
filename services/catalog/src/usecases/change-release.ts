import { changeOf } from "@registry/audit";
import type { Event } from "@registry/bus";
import type { Plugin, Release } from "@registry/contracts/catalog";
import { type Caller, isVersion, pluginNotFound, versionNotFound } from "@registry/domain";
import type { CallContext } from "@registry/kit";
import { maySeeState, maySeeTombstone } from "../model/access.ts";
import { auditTarget, releaseFacts } from "../model/audit.ts";
import type { PluginDocument } from "../model/plugin.ts";
import { type ReleaseDocument, releaseId } from "../model/release.ts";
import { releaseGone } from "../model/resolve.ts";
import type { Parts } from "../parts.ts";
import { untilWritten } from "../retry.ts";
import { toFullRelease, toPlugin } from "../wire.ts";
import { findPlugin } from "./find-plugin.ts";

/** What is to become of a release; the plugin follows. */
export interface ReleaseEdit {
  readonly set?: Partial<ReleaseDocument>;
  readonly unset?: readonly (keyof ReleaseDocument)[];
  /** Tells of it, in the same write. */
  readonly event?: (plugin: PluginDocument, revision: number) => Event;
}

/** Decides on the release as it is; undefined leaves it. Asked again where another write comes first. */
export type DecideRelease = (plugin: PluginDocument, release: ReleaseDocument) => ReleaseEdit | undefined;

export interface Changed {
  readonly plugin: Plugin;
  readonly release: Release;
}

/**
 * Changes the state of one release, or what is said about it.
 * @param version exact
 * @param decide throws where the caller may not
 * @throws `not_found` PLUGIN_NOT_FOUND, VERSION_NOT_FOUND, `gone` RELEASE_DELETED
 */
export async function changeRelease(
  parts: Parts,
  name: string,
  version: string,
  context: CallContext,
  decide: DecideRelease,
): Promise<Changed> {
  const found = await untilWritten(async () => {
    const plugin = await findPlugin(parts, name, context.caller);
    const release = await findRelease(parts, plugin, version, context.caller);
    const edit = decide(plugin, release);
    context.audit({
      ...auditTarget(plugin, version),
      ...changeOf(releaseFacts(release), releaseFacts(edited(release, edit))),
    });
    return edit === undefined || (await write(parts, plugin, release, edit)) ? plugin._id : undefined;
  });
  const plugin = await parts.projector.project(found);
  parts.kick();
  const release = await parts.releases.full(releaseId(found, version));
  if (plugin === null || release === null) throw pluginNotFound();
  return { plugin: toPlugin(plugin), release: toFullRelease(release) };
}

/** @throws as `changeRelease` */
export async function findRelease(
  parts: Pick<Parts, "releases">,
  plugin: PluginDocument,
  version: string,
  caller: Caller,
): Promise<ReleaseDocument> {
  const release = isVersion(version) ? await parts.releases.full(releaseId(plugin._id, version)) : null;
  if (release?.state === "deleted" && maySeeTombstone(caller, plugin, release)) throw releaseGone();
  if (release === null || !maySeeState(caller, plugin, release)) throw versionNotFound();
  return release;
}

function edited(release: ReleaseDocument, edit: ReleaseEdit | undefined): ReleaseDocument {
  const gone = Object.fromEntries((edit?.unset ?? []).map((field) => [field, undefined]));
  return { ...release, ...edit?.set, ...gone };
}

async function write(
  parts: Parts,
  plugin: PluginDocument,
  release: ReleaseDocument,
  { set, unset, event }: ReleaseEdit,
): Promise<boolean> {
  const reserved = await parts.plugins.reserve(plugin._id);
  if (reserved === null) throw pluginNotFound();
  const revision = reserved.sequence;
  const move = { set: { ...set, revision }, unset: unset ?? [], event: event?.(plugin, revision) };
  return parts.releases.move(release, move, parts.clock.now());
}
