import {
  type Action,
  type Caller,
  grantedOn,
  hiddenStates,
  inScope,
  isAdmin,
  listedStates,
  may,
  mayBy,
  type OrgRole,
  rolesIn,
  strongerRole,
  type UserCaller,
} from "@registry/domain";
import type { PluginDocument } from "./plugin.ts";
import type { ReleaseHead } from "./release.ts";

/** What the rules need to know of a plugin. */
export type Guarded = Pick<PluginDocument, "_id" | "ownerId" | "visibility" | "org" | "team" | "collaborators">;

/** The person whom it belongs to. What belongs to an organisation is nobody's own. */
export function owns(caller: Caller, plugin: Guarded): boolean {
  return caller.type === "user" && plugin.org === undefined && caller.id === plugin.ownerId;
}

/** The role that an organisation, a team or the owner gave the caller on the plugin, whatever its credential carries. */
export function givenRole(caller: Caller, plugin: Guarded): OrgRole | undefined {
  if (caller.type !== "user") return undefined;
  const named = plugin.collaborators?.find(({ id }) => id === caller.id)?.role;
  return strongerRole(named, roleInOrg(caller, plugin));
}

function roleInOrg(caller: UserCaller, { org, team, visibility }: Guarded): OrgRole | undefined {
  const membership = org === undefined ? undefined : caller.memberships?.find((each) => each.org === org);
  if (membership === undefined) return undefined;
  const inTeam = team !== undefined && Object.hasOwn(membership.teams, team) ? membership.teams[team] : undefined;
  // What is for one team is nothing to other members, except to those who decide on it.
  if (visibility === "team" && membership.role !== "owner") return inTeam;
  return strongerRole(membership.role, inTeam);
}

/** An administrator whose credential carries the right on this plugin. */
function administers(caller: Caller, action: Action, plugin: Pick<Guarded, "_id">): boolean {
  return caller.type === "user" && caller.role === "admin" && inScope(caller, action, plugin._id);
}

/** By the registry's own role as owner, by a grant on this very plugin, as administrator, or by a role given on it. */
function mayAct(caller: Caller, action: Action, plugin: Guarded): boolean {
  if (administers(caller, action, plugin) || grantedOn(caller, action, plugin._id)) return true;
  if (owns(caller, plugin) && may(caller, action, plugin._id)) return true;
  return mayBy(caller, givenRole(caller, plugin), action, plugin._id);
}

/** Whether the plugin exists as far as the caller may know. */
export function maySee(caller: Caller, plugin: Guarded): boolean {
  if (plugin.visibility === "public" || caller.type === "service") return true;
  if (caller.type === "anonymous" || !may(caller, "read", plugin._id)) return false;
  return plugin.visibility === "internal" || isAmongThose(caller, plugin);
}

const grantsThatShow = ["read", "download", "publish", "update", "delete"] as const;

function isAmongThose(caller: UserCaller, plugin: Guarded): boolean {
  return (
    owns(caller, plugin) ||
    givenRole(caller, plugin) !== undefined ||
    mayReview(caller, plugin) ||
    administers(caller, "read", plugin) ||
    grantsThatShow.some((action) => grantedOn(caller, action, plugin._id))
  );
}

/** What is hidden is there for those who publish it, with a credential that may deal with the plugin, and for reviewers. */
export function seesHidden(caller: Caller, plugin: Guarded): boolean {
  return (isOwn(caller, plugin) && dealsWith(caller, plugin)) || mayReview(caller, plugin);
}

/** What somebody publishes is not theirs to judge, and no stranger's name to them. */
export function isOwn(caller: Caller, plugin: Guarded): boolean {
  return owns(caller, plugin) || canPublish(givenRole(caller, plugin));
}

function canPublish(role: OrgRole | undefined): boolean {
  return role !== undefined && role !== "reader";
}

function dealsWith(caller: Caller, { _id }: Guarded): boolean {
  return caller.type === "user" && (inScope(caller, "read", _id) || inScope(caller, "publish", _id));
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
  const published = caller.type === "user" && caller.id === publishedById && publishesStill(caller, plugin);
  return (published && dealsWith(caller, plugin)) || seesHidden(caller, plugin);
}

/** Whatever the credential carries. What somebody published is shown for as long as the right to do it again is there. */
function publishesStill(caller: UserCaller, plugin: Guarded): boolean {
  const byTeam = plugin.org !== undefined && publishesIn(caller, plugin.org);
  return byTeam || mayPublishTo({ ...caller, scopes: undefined }, plugin);
}

/** Whether some role in the organisation, in any of its teams as well, is one that publishes. */
export function publishesIn(caller: UserCaller, org: string): boolean {
  const membership = caller.memberships?.find((each) => each.org === org);
  return membership !== undefined && rolesIn(membership).some(canPublish);
}

/** For a release that the caller may see. What anybody may download needs no right. */
export function mayDownload(caller: Caller, plugin: Guarded, { state }: Pick<ReleaseHead, "state">): boolean {
  const isOpen = plugin.visibility === "public" && listedStates.includes(state);
  return isOpen || may(caller, "download", plugin._id);
}

/** A name that belongs to somebody; a new one needs the right to publish alone. */
export function mayPublishTo(caller: Caller, plugin: Guarded): boolean {
  return mayAct(caller, "publish", plugin);
}

export function mayUpdate(caller: Caller, plugin: Guarded): boolean {
  return mayAct(caller, "update", plugin);
}

/** Channels, yanking: whoever changes the plugin or publishes to it. */
export function mayTend(caller: Caller, plugin: Guarded): boolean {
  return mayUpdate(caller, plugin) || mayPublishTo(caller, plugin);
}

/** Whom a plugin belongs to, who sees it and who has a role on it is for its owner or owners, and administrators. */
export function mayGiveAway(caller: Caller, plugin: Guarded): boolean {
  if (administers(caller, "update", plugin)) return true;
  if (plugin.org === undefined) return owns(caller, plugin) && may(caller, "update", plugin._id);
  return isOrgOwner(caller, plugin.org) && inScope(caller, "update", plugin._id);
}

function isOrgOwner(caller: Caller, org: string): caller is UserCaller {
  return caller.type === "user" && (caller.memberships ?? []).some((each) => each.org === org && each.role === "owner");
}

export function mayDelete(caller: Caller, plugin: Guarded): boolean {
  if (may(caller, "delete", plugin._id)) return true;
  if (owns(caller, plugin)) return may(caller, "delete_own", plugin._id);
  return mayBy(caller, givenRole(caller, plugin), "delete", plugin._id);
}

/** What somebody published is that person's own to delete, as long as there is a role on the plugin to do it with. */
export function mayDeleteRelease(
  caller: Caller,
  plugin: Guarded,
  { publishedById }: Pick<ReleaseHead, "publishedById">,
): boolean {
  if (mayDelete(caller, plugin)) return true;
  const own = caller.type === "user" && caller.id === publishedById;
  return own && mayBy(caller, givenRole(caller, plugin), "delete_own", plugin._id);
}

/** How an organisation orders its plugins is shown to its members and administrators alone. */
export function seesTeam(caller: Caller, { org }: Guarded): boolean {
  if (caller.type !== "user" || org === undefined) return false;
  return caller.role === "admin" || (caller.memberships ?? []).some((each) => each.org === org);
}
