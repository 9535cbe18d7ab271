import type { DeletePluginRequest, DeletePluginResponse } from "@registry/contracts/catalog";
import { permissionDenied, pluginNotFound } from "@registry/domain";
import type { CallContext } from "@registry/kit";
import { mayDelete } from "../model/access.ts";
import { auditTarget, pluginFacts } from "../model/audit.ts";
import type { Parts } from "../parts.ts";
import { finishDeletion, readReason } from "./bury.ts";
import { nameOf } from "./change-plugin.ts";
import { visibleTo } from "./details.ts";
import { findPlugin } from "./find-plugin.ts";

/** Notes the deletion first, so that the sweeper ends it should this process not. */
export function deletePlugin(parts: Parts) {
  return async (request: DeletePluginRequest, context: CallContext): Promise<DeletePluginResponse> => {
    const { caller } = context;
    const { _id } = await findPlugin(parts, request.name, caller);
    const plugin = await parts.projector.project(_id, (before, heads) => {
      visibleTo(caller, before, heads);
      if (!mayDelete(caller, before)) throw permissionDenied();
      const reason = readReason(request.reason);
      context.audit({ ...auditTarget(before), before: pluginFacts(before), after: { state: "deleted", reason } });
      return { set: { deletion: { by: nameOf(caller), reason, at: parts.clock.now() } } };
    });
    if (plugin === null) throw pluginNotFound();
    return { deletedReleases: await finishDeletion(parts, plugin) };
  };
}
