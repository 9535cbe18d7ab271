import type { GetRegistryInfoRequest, GetRegistryInfoResponse } from "@registry/contracts/catalog";
import type { CallContext } from "@registry/kit";
import type { Parts } from "../parts.ts";
import { learnOf } from "./changed-names.ts";

export function getRegistryInfo(parts: Parts) {
  return async (request: GetRegistryInfoRequest, context: CallContext): Promise<GetRegistryInfoResponse> => {
    await learnOf(parts, request.changedNames);
    return { pluginsCount: parts.directory.count(context.caller) };
  };
}
