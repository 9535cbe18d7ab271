import type { PluginOwner } from "@registry/contracts/catalog";
import type { Caller } from "@registry/domain";
import { givenRole, mayGiveAway, mayUpdate, owns, seesTeam } from "./access.ts";
import type { PluginDocument } from "./plugin.ts";

/** Who holds a role on the plugin, its owner first; nothing to those who may not know. */
export function ownersOf(plugin: PluginDocument, caller: Caller): PluginOwner[] {
  if (!seesOwners(caller, plugin)) return [];
  const { org, owner, team, collaborators = [] } = plugin;
  const type = org === undefined ? "user" : "organisation";
  return [
    { type, name: owner, role: "owner" },
    // The role of a team is the organisation's to tell.
    ...(team !== undefined && seesTeam(caller, plugin) ? [{ type: "team", name: team, role: "" }] : []),
    ...collaborators.map(({ username, role }) => ({ type: "user", name: username, role })),
  ];
}

/** Those who have a role themselves, and who decides. */
export function seesOwners(caller: Caller, plugin: PluginDocument): boolean {
  return (
    owns(caller, plugin) ||
    givenRole(caller, plugin) !== undefined ||
    mayUpdate(caller, plugin) ||
    mayGiveAway(caller, plugin)
  );
}
