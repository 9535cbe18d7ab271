import type { DeleteReleaseRequest, DeleteReleaseResponse } from "@registry/contracts/catalog";
import { type Caller, permissionDenied, versionNotFound } from "@registry/domain";
import type { CallContext } from "@registry/kit";
import { mayDeleteRelease } from "../model/access.ts";
import { auditTarget, releaseFacts } from "../model/audit.ts";
import type { PluginDocument } from "../model/plugin.ts";
import type { ReleaseHead } from "../model/release.ts";
import type { Parts } from "../parts.ts";
import { untilWritten } from "../retry.ts";
import { buryRelease, isStanding, readReason } from "./bury.ts";
import { nameOf } from "./change-plugin.ts";
import { findRelease } from "./change-release.ts";
import { findPlugin } from "./find-plugin.ts";

export function deleteRelease(parts: Parts) {
  return async (request: DeleteReleaseRequest, context: CallContext): Promise<DeleteReleaseResponse> => {
    const { caller } = context;
    const plugin = await findPlugin(parts, request.name, caller);
    const reason = readReason(request.reason);
    await untilWritten(async () => {
      const head = await findStanding(parts, plugin, request.version, caller);
      const after = { state: "deleted", reason };
      context.audit({ ...auditTarget(plugin, head.version), before: releaseFacts(head), after });
      return (await buryRelease(parts, plugin, head, { by: nameOf(caller), reason })) || undefined;
    });
    await parts.plugins.stamp(plugin._id);
    await parts.projector.project(plugin._id);
    parts.kick();
    return {};
  };
}

/** @throws `gone` RELEASE_DELETED, `not_found` VERSION_NOT_FOUND, `permission_denied` */
async function findStanding(
  parts: Parts,
  plugin: PluginDocument,
  version: string,
  caller: Caller,
): Promise<ReleaseHead> {
  const head = await findRelease(parts, plugin, version, caller);
  if (!mayDeleteRelease(caller, plugin, head)) throw permissionDenied();
  if (!isStanding(head)) throw versionNotFound();
  return head;
}
