import { invalid, type RegistryError } from "@registry/domain";

export interface PageAsked {
  readonly size: number;
  /** The last item of the page before; empty for the first page. */
  readonly after: string;
}

const longestToken = 400;

/** What a page token is, is for each list to say. @throws `invalid_argument`, reasons `INVALID_PAGE_SIZE` and `INVALID_PAGE_TOKEN` */
export function readPage(page: { readonly pageSize: number; readonly pageToken: string } | undefined): PageAsked {
  const size = page?.pageSize || 50;
  if (size < 1 || size > 500) throw invalid("INVALID_PAGE_SIZE", "page_size: use 1 to 500", "/page/page_size");
  const after = page?.pageToken ?? "";
  if (after.length > longestToken) throw wrongToken();
  return { size, after };
}

export const wrongToken = (): RegistryError =>
  invalid("INVALID_PAGE_TOKEN", "page_token: use the next_page_token of the previous answer", "/page/page_token");
