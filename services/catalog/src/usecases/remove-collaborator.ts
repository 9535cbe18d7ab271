import type { RemoveCollaboratorRequest, RemoveCollaboratorResponse } from "@registry/contracts/catalog";
import { notFound } from "@registry/domain";
import type { CallContext } from "@registry/kit";
import type { PluginDocument } from "../model/plugin.ts";
import type { Parts } from "../parts.ts";
import { findPlugin } from "./find-plugin.ts";
import { assertDecides, changeCollaborators } from "./set-collaborator.ts";

/** Anybody may give up a role; taking it from others is for those who give it. */
export function removeCollaborator(parts: Parts) {
  return async (request: RemoveCollaboratorRequest, context: CallContext): Promise<RemoveCollaboratorResponse> => {
    const { caller } = context;
    const username = request.username.toLowerCase();
    const leaves = caller.type === "user" && caller.username === username;
    const plugin = await findPlugin(parts, request.name, caller);
    if (!leaves) assertDecides(caller, plugin);
    assertThere(plugin, username);
    return changeCollaborators(parts, request.name, context, (before) => {
      if (!leaves) assertDecides(caller, before);
      assertThere(before, username);
      const others = (before.collaborators ?? []).filter((each) => each.username !== username);
      return others.length === 0 ? { unset: ["collaborators"] } : { set: { collaborators: others } };
    });
  };
}

function assertThere({ collaborators = [] }: PluginDocument, username: string): void {
  if (collaborators.some((each) => each.username === username)) return;
  throw notFound("COLLABORATOR_NOT_FOUND", "This user has no role of its own on the plugin");
}
