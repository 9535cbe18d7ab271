/** What of the content a request wants. Ends are inclusive. */
export type Wanted =
  | { readonly type: "all" }
  | { readonly type: "part"; readonly start: number; readonly end: number }
  | { readonly type: "unsatisfiable" };

const all: Wanted = { type: "all" };

/**
 * Reads `Range` by RFC 9110: one byte range. Several ranges, other units and what cannot be read are passed over, as the
 * standard allows, and the whole is sent.
 * @param size of the content in bytes
 */
export function parseRange(header: string | undefined, size: number): Wanted {
  const match = /^bytes=\s*(\d{0,15})-(\d{0,15})\s*$/i.exec(header ?? "");
  if (match === null) return all;
  const [, first = "", last = ""] = match;
  if (first === "" && last === "") return all;
  if (first === "") {
    const suffix = Number(last);
    if (suffix === 0 || size === 0) return { type: "unsatisfiable" };
    return { type: "part", start: Math.max(0, size - suffix), end: size - 1 };
  }
  const start = Number(first);
  if (last !== "" && Number(last) < start) return all;
  if (start >= size) return { type: "unsatisfiable" };
  return { type: "part", start, end: last === "" ? size - 1 : Math.min(Number(last), size - 1) };
}

/** `If-Range`: a range holds only for the very content that the client has a part of; dates are never trusted. */
export function rangeApplies(ifRange: string | undefined, etag: string): boolean {
  return ifRange === undefined || ifRange.trim() === etag;
}
