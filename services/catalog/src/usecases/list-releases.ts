import type { ListReleasesRequest, ListReleasesResponse } from "@registry/contracts/catalog";
import { compareVersions, isVersion, readPage, wrongPageToken } from "@registry/domain";
import type { CallContext } from "@registry/kit";
import { seesHidden } from "../model/access.ts";
import type { Parts } from "../parts.ts";
import { toRelease, withoutReview } from "../wire.ts";
import { visibleTo } from "./details.ts";
import { findPlugin } from "./find-plugin.ts";

export function listReleases(parts: Parts) {
  return async (request: ListReleasesRequest, context: CallContext): Promise<ListReleasesResponse> => {
    const { size, after } = readPage(request.page);
    if (after !== "" && !isVersion(after)) throw wrongPageToken();
    const plugin = await findPlugin(parts, request.name, context.caller);
    const { heads } = await parts.books.of(plugin);
    const visible = visibleTo(context.caller, plugin, heads);
    const rest = isVersion(after) ? visible.filter((head) => compareVersions(head.version, after) < 0) : visible;
    const page = rest.slice(0, size);
    const basics = await parts.releases.basics(page.map((head) => head._id));
    const manifests = new Map(basics.map((release) => [release._id, release.manifestJson ?? ""]));
    return {
      releases: page.map((head) => {
        const release = toRelease({ ...head, manifestJson: manifests.get(head._id) ?? "" });
        return seesHidden(context.caller, plugin) ? release : withoutReview(release);
      }),
      nextPageToken: rest.length > size ? (page.at(-1)?.version ?? "") : "",
    };
  };
}
