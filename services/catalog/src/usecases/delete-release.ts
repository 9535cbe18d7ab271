import type { DeleteReleaseRequest, DeleteReleaseResponse } from "@registry/contracts/catalog";
import { isVersion, permissionDenied, versionNotFound } from "@registry/domain";
import type { CallContext } from "@registry/kit";
import { mayDelete, maySeeState, maySeeTombstone } from "../model/access.ts";
import { releaseId } from "../model/release.ts";
import { releaseGone } from "../model/resolve.ts";
import type { Parts } from "../parts.ts";
import { buryRelease, isStanding, readReason } from "./bury.ts";
import { nameOf } from "./change-plugin.ts";
import { findPlugin } from "./find-plugin.ts";

export function deleteRelease(parts: Parts) {
  return async (request: DeleteReleaseRequest, context: CallContext): Promise<DeleteReleaseResponse> => {
    const { caller } = context;
    const plugin = await findPlugin(parts, request.name, caller);
    const head = isVersion(request.version) ? await parts.releases.head(releaseId(plugin._id, request.version)) : null;
    if (head?.state === "deleted" && maySeeTombstone(caller, plugin, head)) throw releaseGone();
    if (head === null || !maySeeState(caller, plugin, head.state)) throw versionNotFound();
    if (!mayDelete(caller, plugin)) throw permissionDenied();
    if (!isStanding(head)) throw versionNotFound();
    const reason = readReason(request.reason);
    const buried = await buryRelease(parts, plugin, head, { by: nameOf(caller), reason });
    await parts.plugins.stamp(plugin._id);
    await parts.projector.project(plugin._id);
    parts.kick();
    if (!buried) throw releaseGone();
    return {};
  };
}
