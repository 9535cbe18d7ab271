import type { Dependent, ListDependentsRequest, ListDependentsResponse } from "@registry/contracts/catalog";
import { isPluginName, readPage, wrongPageToken } from "@registry/domain";
import type { CallContext } from "@registry/kit";
import type { Parts } from "../parts.ts";
import { findPlugin } from "./find-plugin.ts";

/** What the caller may not see is passed over, so neither a page nor its token tells of it. */
export function listDependents(parts: Parts) {
  return async (request: ListDependentsRequest, context: CallContext): Promise<ListDependentsResponse> => {
    const { caller } = context;
    const { size, after } = readPage(request.page);
    if (after !== "" && !isPluginName(after)) throw wrongPageToken();
    const plugin = await findPlugin(parts, request.name, caller);
    const dependents: Dependent[] = [];
    for (const { plugin: dependent, need } of parts.directory.dependentsOf(plugin._id, caller)) {
      const latest = need.version === dependent.latest;
      if (dependent._id <= after || !(latest || request.anyRelease)) continue;
      if (dependents.length === size) return { dependents, nextPageToken: dependents.at(-1)?.plugin ?? "" };
      const { version, requirement, optional } = need;
      dependents.push({ plugin: dependent._id, version, requirement, optional, latest });
    }
    return { dependents, nextPageToken: "" };
  };
}
