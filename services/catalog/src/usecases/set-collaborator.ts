import type { SetCollaboratorRequest, SetCollaboratorResponse } from "@registry/contracts/catalog";
import { type Caller, invalid, parseOrgRole, permissionDenied, pluginNotFound } from "@registry/domain";
import type { CallContext } from "@registry/kit";
import { mayGiveAway } from "../model/access.ts";
import { ownersOf } from "../model/owners.ts";
import type { PluginDocument } from "../model/plugin.ts";
import type { Parts } from "../parts.ts";
import type { PluginEdit } from "../projector.ts";
import { findUser } from "../publish/ownership.ts";
import { changePlugin } from "./change-plugin.ts";
import { findPlugin } from "./find-plugin.ts";

const mostCollaborators = 100;

export function setCollaborator(parts: Parts) {
  return async (request: SetCollaboratorRequest, context: CallContext): Promise<SetCollaboratorResponse> => {
    const { caller } = context;
    // Before anything is asked of others, so that nobody learns here which users exist.
    assertDecides(caller, await findPlugin(parts, request.name, caller));
    const role = parseOrgRole(request.role);
    if (role === "owner") {
      throw invalid("INVALID_ROLE", "role: a plugin has one owner; transfer it, or use maintainer", "/role");
    }
    const user = await findUser(parts, request.username, "/username", "UNKNOWN_USER", context);
    return changeCollaborators(parts, request.name, context, (before) => {
      assertDecides(caller, before);
      const others = (before.collaborators ?? []).filter(({ id }) => id !== user.id);
      if (others.length >= mostCollaborators) {
        throw invalid("TOO_MANY_COLLABORATORS", `A plugin may have ${mostCollaborators} of them`, "/username");
      }
      return { set: { collaborators: [...others, { ...user, role }] } };
    });
  };
}

export function assertDecides(caller: Caller, plugin: PluginDocument): void {
  if (!mayGiveAway(caller, plugin)) throw permissionDenied();
}

/** @returns who holds a role afterwards, as far as the caller may still know */
export async function changeCollaborators(
  parts: Parts,
  name: string,
  context: CallContext,
  decide: (before: PluginDocument) => PluginEdit,
): Promise<SetCollaboratorResponse> {
  const { _id } = await findPlugin(parts, name, context.caller);
  await changePlugin(parts, _id, context, (before) => decide(before));
  const plugin = await parts.plugins.get(_id);
  if (plugin === null) throw pluginNotFound();
  return { owners: ownersOf(plugin, context.caller) };
}
