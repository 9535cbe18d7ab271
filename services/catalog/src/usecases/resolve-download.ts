import type { ResolveDownloadRequest, ResolveDownloadResponse } from "@registry/contracts/catalog";
import { permissionDenied } from "@registry/domain";
import { type CallContext, issueTicket } from "@registry/kit";
import { mayDownload } from "../model/access.ts";
import type { Parts } from "../parts.ts";
import { toRelease, toVisibility, withoutReview } from "../wire.ts";
import { resolveVisible } from "./details.ts";
import { findPlugin } from "./find-plugin.ts";

export function resolveDownload(parts: Parts) {
  return async (request: ResolveDownloadRequest, context: CallContext): Promise<ResolveDownloadResponse> => {
    const plugin = await findPlugin(parts, request.name, context.caller);
    const book = await parts.books.besideCounts(plugin);
    const head = resolveVisible(plugin, book.heads, request.version, context.caller);
    if (!mayDownload(context.caller, plugin, head)) throw permissionDenied();
    return {
      release: withoutReview(book.basics.get(head.version) ?? toRelease(head)),
      visibility: toVisibility(plugin.visibility),
      ticket: issueTicket(parts.keys, "blob", head.sha256, parts.clock.now()),
    };
  };
}
