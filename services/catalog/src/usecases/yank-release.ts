import type {
  UnyankReleaseRequest,
  UnyankReleaseResponse,
  YankReleaseRequest,
  YankReleaseResponse,
} from "@registry/contracts/catalog";
import { type Caller, permissionDenied, RegistryError } from "@registry/domain";
import type { CallContext } from "@registry/kit";
import { mayTend } from "../model/access.ts";
import type { PluginDocument } from "../model/plugin.ts";
import type { ReleaseDocument } from "../model/release.ts";
import type { Parts } from "../parts.ts";
import { readReason } from "./bury.ts";
import { nameOf } from "./change-plugin.ts";
import { changeRelease } from "./change-release.ts";

/** Yanking what is yanked only changes the reason. */
export function yankRelease(parts: Parts) {
  return async (request: YankReleaseRequest, context: CallContext): Promise<YankReleaseResponse> => {
    const { name, version } = request;
    const { release } = await changeRelease(parts, name, version, context, (plugin, found) => {
      authorise(context.caller, plugin);
      const reason = readReason(request.reason);
      assertYankable(found);
      if (found.state === "yanked" && found.reason === reason) return undefined;
      return {
        set: { state: "yanked", reason },
        event: (_plugin, revision) =>
          parts.events.make("registry.catalog.release.yanked", plugin._id, {
            plugin: plugin._id,
            version,
            yankedBy: nameOf(context.caller),
            revision,
          }),
      };
    });
    return { release };
  };
}

/** A release that is published stays so. */
export function unyankRelease(parts: Parts) {
  return async (request: UnyankReleaseRequest, context: CallContext): Promise<UnyankReleaseResponse> => {
    const { name, version } = request;
    const { release } = await changeRelease(parts, name, version, context, (plugin, found) => {
      authorise(context.caller, plugin);
      assertYankable(found);
      if (found.state === "published") return undefined;
      return {
        set: { state: "published", reason: "" },
        event: (_plugin, revision) =>
          parts.events.make("registry.catalog.release.unyanked", plugin._id, {
            plugin: plugin._id,
            version,
            unyankedBy: nameOf(context.caller),
            revision,
          }),
      };
    });
    return { release };
  };
}

function authorise(caller: Caller, plugin: PluginDocument): void {
  if (!mayTend(caller, plugin)) throw permissionDenied();
}

function assertYankable({ state }: ReleaseDocument): void {
  if (state === "published" || state === "yanked") return;
  throw new RegistryError(
    "conflict",
    "INVALID_STATE",
    `A release that is ${state} is seen by nobody and needs no yank`,
  );
}
