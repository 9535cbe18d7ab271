import type { GetRegistryInfoRequest, GetRegistryInfoResponse } from "@registry/contracts/catalog";
import type { CallContext } from "@registry/kit";
import type { Parts } from "../parts.ts";

export function getRegistryInfo(parts: Parts) {
  return async (_request: GetRegistryInfoRequest, context: CallContext): Promise<GetRegistryInfoResponse> => {
    return { pluginsCount: parts.directory.count(context.caller) };
  };
}
