import { isIP } from "node:net";
import { invalid, isLongerThan, type RegistryError } from "@registry/domain";
import type { AllowedAddresses } from "./addresses.ts";

const maxUrl = 2048;

/** The host as it is resolved and dialled: without brackets, and without the dot that ends an absolute name. */
export function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "");
}

/**
 * Where a webhook's events go, in the one spelling that a URL has. Names are judged by what they resolve to, at each
 * delivery.
 * @throws `invalid_argument`, reason `INVALID_URL`
 */
export function parseTarget(text: string, allowed: AllowedAddresses): string {
  if (isLongerThan(text, maxUrl)) throw wrong(`at most ${maxUrl} characters`);
  // A parser of URLs passes over white space and controls, so that what is called would not be what is read.
  if (!/^[\x21-\x7e\u00a1-\uffff]+$/.test(text) || !URL.canParse(text)) throw wrong("expected a URL: https://…");
  const url = new URL(text);
  checkScheme(url, allowed);
  if (url.username !== "" || url.password !== "") throw wrong("no user or password; the signature tells who calls");
  if (text.includes("#")) throw wrong("no fragment (#…): it would not be sent");
  const host = hostOf(url);
  // With an empty part a host is no name, and may be an address once it is written anew.
  if (host.split(".").includes("") || url.port === "0") throw wrong("expected a host, and no port 0");
  if (isIP(host) !== 0 && !allowed.has(host, url.protocol === "http:")) throw notAllowed();
  if (isIP(host) === 0) url.hostname = host;
  if (url.href.length > maxUrl) throw wrong(`at most ${maxUrl} characters, with what has to be escaped`);
  return url.href;
}

function checkScheme({ protocol }: URL, allowed: AllowedAddresses): void {
  if (protocol === "https:" || (protocol === "http:" && allowed.some)) return;
  if (protocol !== "http:") throw wrong("expected https://…");
  throw wrong("expected https://…; http: is for networks that the setting WEBHOOK_ALLOWED_NETWORKS names");
}

const wrong = (message: string): RegistryError => invalid("INVALID_URL", `url: ${message}`, "/url");
const notAllowed = (): RegistryError =>
  wrong(
    "this address is not public; networks that may be called all the same are in the setting WEBHOOK_ALLOWED_NETWORKS",
  );
