import type { ListReviewsRequest, ListReviewsResponse } from "@registry/contracts/catalog";
import { type Caller, maySomewhere, permissionDenied, readPage, wrongPageToken } from "@registry/domain";
import type { CallContext } from "@registry/kit";
import { mayReview, maySee } from "../model/access.ts";
import type { ReleaseDocument } from "../model/release.ts";
import type { Parts } from "../parts.ts";
import { toFullRelease } from "../wire.ts";

/** Looked at for one page; more than wait since the same moment, so that a page always gets on. */
const mostAtOnce = 1000;
/** Characters of one page: well below what a message may hold. */
const mostWeight = 4_000_000;

/** The queue of reviewers: what waits longest comes first. */
export function listReviews(parts: Parts) {
  return async (request: ListReviewsRequest, context: CallContext): Promise<ListReviewsResponse> => {
    const { caller } = context;
    if (!maySomewhere(caller, "review")) throw permissionDenied();
    const { size, after } = readPage(request.page);
    const { from, passed } = readAfter(after);
    const found = await parts.releases.waiting.inReview(from, mostAtOnce);
    const behind = found.filter((release, at) => since(release) > from.getTime() || at >= passed);
    const page: ReleaseDocument[] = [];
    let seen: ReleaseDocument | undefined;
    let weight = 0;
    for (const release of behind) {
      weight += weightOf(release);
      if (page.length === size || (page.length > 0 && weight > mostWeight)) break;
      seen = release;
      if (await isFor(parts, caller, release)) page.push(release);
    }
    const more = seen !== behind.at(-1) || found.length === mostAtOnce;
    return {
      releases: page.map(toFullRelease),
      nextPageToken: more && seen !== undefined ? tokenOf(found, seen) : "",
    };
  };
}

async function isFor(parts: Parts, caller: Caller, { plugin }: ReleaseDocument): Promise<boolean> {
  if (!mayReview(caller, { _id: plugin })) return false;
  const document = await parts.plugins.get(plugin);
  return document !== null && maySee(caller, document);
}

function weightOf({ content, review }: ReleaseDocument): number {
  const texts = [...(content?.findings ?? []).map(({ message, file }) => message + file), ...(review?.reasons ?? [])];
  return texts.reduce((sum, text) => sum + text.length + 100, 1000);
}

const since = (release: ReleaseDocument): number => release.waitingSince?.getTime() ?? 0;

/**
 * Where a page ended: since when that release waits, and how many of the same moment were passed. No name is in it, since
 * the last one that was looked at may be of a plugin that its reader may not know of.
 */
function tokenOf(found: readonly ReleaseDocument[], last: ReleaseDocument): string {
  const moment = found.filter((release) => since(release) === since(last));
  return `${since(last)}-${moment.indexOf(last) + 1}`;
}

function readAfter(after: string): { readonly from: Date; readonly passed: number } {
  if (after === "") return { from: new Date(0), passed: 0 };
  const [, time = "", passed = ""] = /^(\d{1,15})-(\d{1,4})$/.exec(after) ?? [];
  if (passed === "") throw wrongPageToken();
  return { from: new Date(Number(time)), passed: Number(passed) };
}
