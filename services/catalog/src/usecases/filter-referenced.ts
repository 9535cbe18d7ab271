import type { FilterReferencedRequest, FilterReferencedResponse } from "@registry/contracts/catalog";
import { invalid, parseDigest } from "@registry/domain";
import type { Parts } from "../parts.ts";

const most = 1000;

export function filterReferenced(parts: Parts) {
  return async (request: FilterReferencedRequest): Promise<FilterReferencedResponse> => {
    if (request.digests.length > most) throw invalid("TOO_MANY_DIGESTS", `digests: at most ${most}`, "/digests");
    const digests = request.digests.map((digest, i) => parseDigest(digest, `/digests/${i}`));
    return { referenced: await parts.releases.byDigest.referenced(digests) };
  };
}
