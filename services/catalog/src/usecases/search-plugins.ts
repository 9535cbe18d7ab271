import {
  type PluginDetails,
  type SearchPluginsRequest,
  type SearchPluginsResponse,
  SearchSort,
} from "@registry/contracts/catalog";
import { type Caller, invalid, isLongerThan, isRegistryError } from "@registry/domain";
import type { CallContext } from "@registry/kit";
import type { Parts } from "../parts.ts";
import type { Entry, Query, SortBy } from "../search/directory.ts";
import { weightOf } from "../wire.ts";
import { learnOf } from "./changed-names.ts";
import { detailsOf } from "./details.ts";

/** Text that one answer may hold, well below what a message may. */
const mostWeight = 6 * 1024 * 1024;

const sorts: { readonly [sort in SearchSort]: SortBy } = {
  [SearchSort.SEARCH_SORT_UNSPECIFIED]: "relevance",
  // A newer client's wish; an order that we do not know is no reason to find nothing.
  [SearchSort.UNRECOGNIZED]: "relevance",
  [SearchSort.SEARCH_SORT_RELEVANCE]: "relevance",
  [SearchSort.SEARCH_SORT_DOWNLOADS]: "downloads",
  [SearchSort.SEARCH_SORT_UPDATED]: "updated",
  [SearchSort.SEARCH_SORT_CREATED]: "created",
  [SearchSort.SEARCH_SORT_NAME]: "name",
};

export function searchPlugins(parts: Parts) {
  return async (request: SearchPluginsRequest, context: CallContext): Promise<SearchPluginsResponse> => {
    const query = readQuery(request);
    await learnOf(parts, request.changedNames);
    const { page, total } = parts.directory.search(context.caller, query);
    const details = request.withDetails ? await detailsOfAll(parts, page, context.caller) : [];
    return { plugins: page.map((entry) => entry.wire), details, total };
  };
}

/** @throws `invalid_argument`, reasons `INVALID_QUERY`, `INVALID_LIMIT` and `INVALID_OFFSET` */
function readQuery(request: SearchPluginsRequest): Query {
  if (isLongerThan(request.query, 256)) throw invalid("INVALID_QUERY", "query: at most 256 characters", "/query");
  if (request.tags.length > 20) throw invalid("INVALID_QUERY", "tags: at most 20", "/tags");
  if (request.kinds.length > 20) throw invalid("INVALID_QUERY", "kinds: at most 20", "/kinds");
  if (request.limit < 0 || request.limit > 100) throw invalid("INVALID_LIMIT", "limit: use 1 to 100", "/limit");
  if (request.offset < 0 || request.offset > 10_000) {
    throw invalid("INVALID_OFFSET", "offset: use 0 to 10000; narrow the search instead", "/offset");
  }
  return {
    text: request.query,
    tags: request.tags.map((tag) => tag.toLowerCase()),
    kinds: request.kinds.map((kind) => kind.toLowerCase()),
    category: request.category.toLowerCase(),
    owner: request.owner.toLowerCase(),
    sort: sorts[request.sort],
    limit: request.limit || 20,
    offset: request.offset,
  };
}

/** Beside the plugins; where an answer would grow too large, without readmes, file lists and older manifests. */
async function detailsOfAll(parts: Parts, page: readonly Entry[], caller: Caller): Promise<PluginDetails[]> {
  const all = await Promise.all(page.map((entry) => detailsOrLess(parts, entry, caller)));
  let weight = 0;
  return all.map((details) => {
    const slim = withoutContent(details);
    weight += weightOf(slim);
    if (weight <= mostWeight) return slim;
    return { ...details, release: undefined, releases: details.releases.map((r) => ({ ...r, manifestJson: "" })) };
  });
}

function withoutContent(details: PluginDetails): PluginDetails {
  const { release } = details;
  return { ...details, release: release === undefined ? undefined : { ...release, files: [], findings: [] } };
}

async function detailsOrLess(parts: Parts, entry: Entry, caller: Caller): Promise<PluginDetails> {
  try {
    return await detailsOf(parts, entry.document, "", caller);
  } catch (error) {
    // Deleted since this replica last heard of it.
    if (!isRegistryError(error) || (error.kind !== "not_found" && error.kind !== "gone")) throw error;
    return { plugin: entry.wire, release: undefined, releases: [], versions: [] };
  }
}
