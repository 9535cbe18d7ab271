import { invalid } from "@registry/domain";

const longest = 512;

/**
 * Where a browser goes after its sign-in: a path of this registry, never another site, however a browser reads it.
 * @throws kind `invalid_argument`, reason `INVALID_RETURN_TO`
 */
export function parseReturnTo(text: string): string {
  if (text === "") return text;
  const base = "http://registry.invalid";
  const isPath = text.length <= longest && /^\/(?![/\\])[\x21-\x5b\x5d-\x7e]*$/.test(text) && URL.canParse(text, base);
  const url = isPath ? new URL(text, base) : undefined;
  // Dot segments may leave two slashes at the start behind, which whoever passes the path on takes for a host.
  if (url?.origin === base && !url.pathname.startsWith("//")) return text;
  const rule = `a path of this registry such as /ui/, at most ${longest} printable characters, without // at its start or \\`;
  throw invalid("INVALID_RETURN_TO", `return_to must be ${rule}`, "/return_to");
}

/** @throws kind `invalid_argument`, reason `INVALID_REDIRECT_URI` */
export function parseRedirectUri(text: string): string {
  const url = text.length <= longest && URL.canParse(text) ? new URL(text) : undefined;
  const isWeb = url?.protocol === "https:" || url?.protocol === "http:";
  if (url !== undefined && isWeb && url.username === "" && url.password === "" && !/[?#]/.test(text)) return url.href;
  const rule = `the http or https URL of this registry's callback, at most ${longest} characters, without ? and #`;
  throw invalid("INVALID_REDIRECT_URI", `redirect_uri must be ${rule}`, "/redirect_uri");
}
