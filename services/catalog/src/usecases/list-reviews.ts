import type { ListReviewsRequest, ListReviewsResponse } from "@registry/contracts/catalog";
import { type Caller, maySomewhere, type PluginName, permissionDenied } from "@registry/domain";
import type { CallContext } from "@registry/kit";
import { mayReview, maySee } from "../model/access.ts";
import { readPage, wrongToken } from "../model/pages.ts";
import type { ReleaseDocument } from "../model/release.ts";
import type { Parts } from "../parts.ts";
import { toFullRelease } from "../wire.ts";

/** Looked at for one page; more than wait since the same moment, so that a page always gets on. */
const mostAtOnce = 1000;
/** Characters of one page: well below what a message may hold. */
const mostWeight = 4_000_000;

const purpose = "reviews-page";
const longestToken = 500;

/** The queue of reviewers: what waits longest comes first. */
export function listReviews(parts: Parts) {
  return async (request: ListReviewsRequest, context: CallContext): Promise<ListReviewsResponse> => {
    const { caller } = context;
    if (!maySomewhere(caller, "review")) throw permissionDenied();
    const { size } = readPage({ pageSize: request.page?.pageSize ?? 0, pageToken: "" });
    const [from, last] = readAfter(parts, request.page?.pageToken ?? "");
    const found = await parts.releases.waiting.inReview(from, mostAtOnce);
    const behind = found.filter((release) => isAfter(release, from, last));
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
      nextPageToken: more && seen !== undefined ? sealed(parts, seen) : "",
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

function isAfter(release: ReleaseDocument, from: Date, last: PluginName | string): boolean {
  return since(release) > from.getTime() || (since(release) === from.getTime() && release._id > last);
}

/** The page before may have ended at a release of a plugin that its reader may not know of. */
function sealed({ keys }: Pick<Parts, "keys">, release: ReleaseDocument): string {
  return keys.seal(purpose, Buffer.from(`${since(release)} ${release._id}`));
}

function readAfter({ keys }: Pick<Parts, "keys">, token: string): [Date, string] {
  if (token === "") return [new Date(0), ""];
  const text = token.length > longestToken ? undefined : keys.open(purpose, token);
  const [, time = "", id = ""] = /^(\d{1,15}) (.+)$/.exec(Buffer.from(text ?? []).toString()) ?? [];
  if (id === "") throw wrongToken();
  return [new Date(Number(time)), id];
}
