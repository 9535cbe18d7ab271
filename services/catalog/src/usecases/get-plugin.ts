import type { GetPluginRequest, GetPluginResponse } from "@registry/contracts/catalog";
import type { CallContext } from "@registry/kit";
import type { Parts } from "../parts.ts";
import { detailsOf } from "./details.ts";
import { findPlugin } from "./find-plugin.ts";

export function getPlugin(parts: Parts) {
  return async (request: GetPluginRequest, context: CallContext): Promise<GetPluginResponse> => {
    const plugin = await findPlugin(parts, request.name, context.caller);
    return { details: await detailsOf(parts, plugin, request.version, context.caller) };
  };
}
