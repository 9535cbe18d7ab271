import { invalid } from "@registry/domain";

export interface PageAsked {
  readonly size: number;
  /** The last item of the page before; empty for the first page. */
  readonly after: string;
}

/** @throws `invalid_argument`, reasons `INVALID_PAGE_SIZE` and `INVALID_PAGE_TOKEN` */
export function readPage(page: { readonly pageSize: number; readonly pageToken: string } | undefined): PageAsked {
  const size = page?.pageSize || 50;
  if (size < 1 || size > 500) throw invalid("INVALID_PAGE_SIZE", "page_size: use 1 to 500", "/page/page_size");
  return { size, after: decode(page?.pageToken ?? "") };
}

export function pageToken(last: string): string {
  return Buffer.from(last).toString("base64url");
}

function decode(token: string): string {
  const text = Buffer.from(token, "base64url").toString();
  if (token.length > 400 || pageToken(text) !== token) {
    throw invalid(
      "INVALID_PAGE_TOKEN",
      "page_token: use the next_page_token of the previous answer",
      "/page/page_token",
    );
  }
  return text;
}
