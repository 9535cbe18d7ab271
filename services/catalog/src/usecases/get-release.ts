import { type GetReleaseRequest, type GetReleaseResponse, ReleaseView } from "@registry/contracts/catalog";
import { versionNotFound } from "@registry/domain";
import type { CallContext } from "@registry/kit";
import { seesHidden } from "../model/access.ts";
import type { Parts } from "../parts.ts";
import { toPlugin, withoutReview } from "../wire.ts";
import { resolveVisible } from "./details.ts";
import { findPlugin } from "./find-plugin.ts";

export function getRelease(parts: Parts) {
  return async (request: GetReleaseRequest, context: CallContext): Promise<GetReleaseResponse> => {
    const plugin = await findPlugin(parts, request.name, context.caller);
    const book = await parts.books.of(plugin);
    const { version } = resolveVisible(plugin, book.heads, request.version, context.caller);
    const known = request.view === ReleaseView.RELEASE_VIEW_FULL ? undefined : book.basics.get(version);
    const found = known ?? (await parts.books.full(plugin, version));
    if (found === undefined) throw versionNotFound();
    const release = seesHidden(context.caller, plugin) ? found : withoutReview(found);
    if (request.view === ReleaseView.RELEASE_VIEW_FULL) return { release, plugin: toPlugin(plugin) };
    const basic = { ...release, readme: undefined, changelog: undefined, files: [], findings: [] };
    return { release: basic, plugin: toPlugin(plugin) };
  };
}
