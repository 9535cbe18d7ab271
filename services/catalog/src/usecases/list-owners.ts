import type { ListOwnersRequest, ListOwnersResponse } from "@registry/contracts/catalog";
import { permissionDenied } from "@registry/domain";
import type { CallContext } from "@registry/kit";
import { ownersOf, seesOwners } from "../model/owners.ts";
import type { Parts } from "../parts.ts";
import { findPlugin } from "./find-plugin.ts";

export function listOwners(parts: Parts) {
  return async (request: ListOwnersRequest, { caller }: CallContext): Promise<ListOwnersResponse> => {
    const plugin = await findPlugin(parts, request.name, caller);
    if (!seesOwners(caller, plugin)) throw permissionDenied();
    return { owners: ownersOf(plugin, caller) };
  };
}
