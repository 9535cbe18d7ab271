import type { ListPluginsRequest, ListPluginsResponse } from "@registry/contracts/catalog";
import { readPage } from "@registry/domain";
import type { CallContext } from "@registry/kit";
import type { Parts } from "../parts.ts";
import { learnOf } from "./changed-names.ts";

export function listPlugins(parts: Parts) {
  return async (request: ListPluginsRequest, context: CallContext): Promise<ListPluginsResponse> => {
    const { size, after } = readPage(request.page);
    await learnOf(parts, request.changedNames);
    const { page, more, updatedAt } = parts.directory.list(context.caller, after, size);
    return {
      plugins: page.map((entry) => entry.wire),
      nextPageToken: more ? (page.at(-1)?.wire.name ?? "") : "",
      updatedAt,
    };
  };
}
