import { invalid, type RegistryError } from "./errors.ts";
import { isLongerThan } from "./plain-text.ts";

const usualSize = 50;
const largestSize = 500;
/** Of what lists are ordered by, in characters: none is as long. */
const longestToken = 400;

/**
 * How many items a page is to have, of a request whose `page` has `page_size` and `page_token`; 0 and nothing at all ask for 50.
 * @throws `invalid_argument`, reason `INVALID_PAGE_SIZE`
 */
export function pageSizeOf(page: { readonly pageSize: number } | undefined): number {
  const size = page?.pageSize || usualSize;
  if (size >= 1 && size <= largestSize) return size;
  throw invalid("INVALID_PAGE_SIZE", `page_size: use 1 to ${largestSize}`, "/page/page_size");
}

/** Of a list that did not give the token; how one looks is for each list to say. */
export const wrongPageToken = (): RegistryError =>
  invalid("INVALID_PAGE_TOKEN", "page_token: use the next_page_token of the previous answer", "/page/page_token");

export interface PageAsked {
  readonly size: number;
  /** What the page before ended with; empty for the first page. */
  readonly after: string;
}

/**
 * Of a list whose token is what the page before ended with.
 * @throws `invalid_argument`, reasons `INVALID_PAGE_SIZE` and `INVALID_PAGE_TOKEN`
 */
export function readPage(page: { readonly pageSize: number; readonly pageToken: string } | undefined): PageAsked {
  const size = pageSizeOf(page);
  const after = page?.pageToken ?? "";
  if (isLongerThan(after, longestToken)) throw wrongPageToken();
  return { size, after };
}
