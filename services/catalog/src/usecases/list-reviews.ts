import type { ListReviewsRequest, ListReviewsResponse } from "@registry/contracts/catalog";
import { invalid, maySomewhere, type PluginName, permissionDenied } from "@registry/domain";
import type { CallContext } from "@registry/kit";
import { mayReview } from "../model/access.ts";
import { pageToken, readPage } from "../model/pages.ts";
import type { ReleaseDocument } from "../model/release.ts";
import type { Parts } from "../parts.ts";
import { toFullRelease } from "../wire.ts";

/** Releases of one moment, all of which a page must be able to step over. */
const mostAtOnce = 2000;

/** The queue of reviewers: what waits longest comes first. */
export function listReviews(parts: Parts) {
  return async (request: ListReviewsRequest, context: CallContext): Promise<ListReviewsResponse> => {
    const { caller } = context;
    if (!maySomewhere(caller, "review")) throw permissionDenied();
    const { size, after } = readPage(request.page);
    const [from, last] = readAfter(after);
    const found = await parts.releases.waiting.inReview(from, mostAtOnce);
    const rest = found.filter((release) => isAfter(release, from, last) && mayReview(caller, { _id: release.plugin }));
    const page = rest.slice(0, size);
    return {
      releases: page.map((release) => ({
        ...toFullRelease(release),
        readme: undefined,
        changelog: undefined,
        files: [],
      })),
      nextPageToken: rest.length > size ? pageToken(tokenOf(page.at(-1))) : "",
    };
  };
}

const since = (release: ReleaseDocument): number => release.waitingSince?.getTime() ?? 0;

function isAfter(release: ReleaseDocument, from: Date, last: PluginName | string): boolean {
  return since(release) > from.getTime() || (since(release) === from.getTime() && release._id > last);
}

function tokenOf(release: ReleaseDocument | undefined): string {
  return release === undefined ? "" : `${since(release)} ${release._id}`;
}

function readAfter(after: string): [Date, string] {
  if (after === "") return [new Date(0), ""];
  const [, time = "", id = ""] = /^(\d{1,15}) (.+)$/.exec(after) ?? [];
  if (id === "") {
    const message = "page_token: use the next_page_token of the previous answer";
    throw invalid("INVALID_PAGE_TOKEN", message, "/page/page_token");
  }
  return [new Date(Number(time)), id];
}
