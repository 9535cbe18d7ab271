import { type Caller, hiddenStates, isAdmin, listedStates, may } from "@registry/domain";
import type { PluginDocument } from "./plugin.ts";
import type { ReleaseHead } from "./release.ts";

/** What the rules need to know of a plugin. */
export type Guarded = Pick<PluginDocument, "_id" | "ownerId" | "visibility">;

export function owns(caller: Caller, plugin: Guarded): boolean {
  return caller.type === "user" && caller.id === plugin.ownerId;
}

/** Whether the plugin exists as far as the caller may know. */
export function maySee(caller: Caller, plugin: Guarded): boolean {
  if (plugin.visibility === "public" || caller.type === "service") return true;
  if (caller.type === "anonymous" || !may(caller, "read", plugin._id)) return false;
  return plugin.visibility === "internal" || seesHidden(caller, plugin);
}

/** What is hidden is there for its owner, with a credential that may deal with the plugin, and for reviewers. */
export function seesHidden(caller: Caller, plugin: Guarded): boolean {
  return (owns(caller, plugin) && dealsWith(caller, plugin)) || mayReview(caller, plugin);
}

function dealsWith(caller: Caller, { _id }: Guarded): boolean {
  return may(caller, "read", _id) || may(caller, "publish", _id);
}

/** Whether the caller decides on what is held back, whoever owns it. */
export function mayReview(caller: Caller, plugin: Pick<Guarded, "_id">): boolean {
  return isAdmin(caller) || may(caller, "review", plugin._id);
}

/** What was never published is no more than a taken name to those from whom it was hidden. */
export function maySeeTombstone(caller: Caller, plugin: Guarded, release: Pick<ReleaseHead, "publishedAt">): boolean {
  return release.publishedAt !== undefined || seesHidden(caller, plugin);
}

export function maySeeState(
  caller: Caller,
  plugin: Guarded,
  { state, publishedById }: Pick<ReleaseHead, "state" | "publishedById">,
): boolean {
  if (listedStates.includes(state)) return true;
  if (!hiddenStates.includes(state)) return false;
  const published = caller.type === "user" && caller.id === publishedById && dealsWith(caller, plugin);
  return published || seesHidden(caller, plugin);
}

/** For a release that the caller may see. What anybody may download needs no right. */
export function mayDownload(caller: Caller, plugin: Guarded, { state }: Pick<ReleaseHead, "state">): boolean {
  const isOpen = plugin.visibility === "public" && listedStates.includes(state);
  return isOpen || may(caller, "download", plugin._id);
}

/** A name that belongs to somebody; a new one needs the right to publish alone. */
export function mayPublishTo(caller: Caller, plugin: Guarded): boolean {
  return (
    may(caller, "publish", plugin._id) &&
    (owns(caller, plugin) || isAdmin(caller) || granted(caller, "publish", plugin))
  );
}

export function mayUpdate(caller: Caller, plugin: Guarded): boolean {
  return (
    may(caller, "update", plugin._id) && (owns(caller, plugin) || isAdmin(caller) || granted(caller, "update", plugin))
  );
}

/** Whom a plugin belongs to and who sees it is for its owner and administrators alone. */
export function mayGiveAway(caller: Caller, plugin: Guarded): boolean {
  return may(caller, "update", plugin._id) && (owns(caller, plugin) || isAdmin(caller));
}

export function mayDelete(caller: Caller, plugin: Guarded): boolean {
  return may(caller, "delete", plugin._id) || (owns(caller, plugin) && may(caller, "delete_own", plugin._id));
}

function granted(caller: Caller, action: string, plugin: Guarded): boolean {
  return caller.type === "user" && caller.grants.includes(`${action}:${plugin._id}`);
}
