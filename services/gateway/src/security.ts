import type { IncomingMessage } from "node:http";
import { type BlockList, isIP } from "node:net";
import { networkList, networkOf } from "@registry/limits";
import type { GatewayConfig } from "./config.ts";
import { untrustedHost } from "./http-errors.ts";

/** Nothing may be loaded, run or framed: right for data, and for stored content that a browser is made to open. */
export const closedPolicy = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; sandbox";
/** Sent with everything; pages and stored content say more in a policy of their own. */
const always: Readonly<Record<string, string>> = {
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "x-xss-protection": "1; mode=block",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "content-security-policy": closedPolicy,
};

/** The same for what is only ever saved, which browsers do not allow out of a sandbox. */
export const savedPolicy = "default-src 'none'; frame-ancestors 'none'";
/** For the web interface: its own files and nothing else. */
export const pagePolicy =
  "default-src 'self'; img-src 'self' data:; object-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

/** Who asks, and under which name: decided from the socket, and from forwarded headers of trusted proxies only. */
export class Edge {
  readonly #publicUrl: string | undefined;
  /** The gateway speaks HTTPS itself. */
  readonly #encrypts: boolean;
  readonly #alwaysSecure: boolean;
  readonly #proxies: BlockList | undefined;
  readonly #exactHosts: ReadonlySet<string>;
  readonly #hostSuffixes: readonly string[];
  readonly #anyHost: boolean;
  /** Origins that were judged before, by scheme and host; bounded. */
  readonly #judged = new Map<string, string | null>();
  readonly #plainHeaders: Readonly<Record<string, string>>;
  readonly #secureHeaders: Readonly<Record<string, string>>;
  readonly #origins: ReadonlySet<string>;
  readonly varies: string;

  constructor(config: GatewayConfig) {
    this.#publicUrl = config.PUBLIC_URL?.replace(/\/+$/, "");
    this.#encrypts = config.TLS_CERT_FILE !== undefined;
    this.#alwaysSecure = this.#encrypts || this.#publicUrl?.startsWith("https://") === true;
    this.#proxies = config.TRUSTED_PROXIES.length === 0 ? undefined : networkList(config.TRUSTED_PROXIES);
    const hosts = config.TRUSTED_HOSTS.map((host) => host.toLowerCase());
    this.#anyHost = hosts.length === 0 || hosts.includes("*");
    this.#exactHosts = new Set(hosts.filter((host) => !host.startsWith("*.")));
    this.#hostSuffixes = hosts.filter((host) => host.startsWith("*.")).map((host) => host.slice(1));
    this.#plainHeaders = always;
    this.#secureHeaders = { ...always, "strict-transport-security": "max-age=31536000" };
    this.#origins = new Set(config.CORS_ORIGINS);
    this.varies = this.#origins.size > 0 ? "accept, authorization, origin" : "accept, authorization";
  }

  /**
   * The start of every link in the answer: scheme, host and port, without a slash at the end.
   * @throws HttpError 400 where the host is not one that the registry answers for
   */
  originOf(request: IncomingMessage): string {
    const origin = this.tryOriginOf(request);
    if (origin === undefined) throw untrustedHost();
    return origin;
  }

  tryOriginOf(request: IncomingMessage): string | undefined {
    let host = request.headers.host ?? "";
    if (this.#proxies !== undefined && this.#trusts(request.socket.remoteAddress)) {
      const forwarded = first(request.headers["x-forwarded-host"]);
      if (forwarded !== undefined) host = forwarded;
    }
    const key = `${this.#schemeOf(request)}://${host}`;
    const known = this.#judged.get(key);
    if (known !== undefined) return known ?? undefined;
    const judged = this.#accepts(host) && URL.canParse(key) ? (this.#publicUrl ?? key.toLowerCase()) : null;
    if (this.#judged.size >= 1000) this.#judged.clear();
    this.#judged.set(key, judged);
    return judged ?? undefined;
  }

  /** Whether the way from the client to here is encrypted, as far as can be known. */
  isSecure(request: IncomingMessage): boolean {
    return this.#alwaysSecure || this.#schemeOf(request) === "https";
  }

  #schemeOf(request: IncomingMessage): "http" | "https" {
    if (this.#encrypts) return "https";
    const isForwarded = this.#proxies !== undefined && this.#trusts(request.socket.remoteAddress);
    return isForwarded && first(request.headers["x-forwarded-proto"]) === "https" ? "https" : "http";
  }

  /** What limits count under: the caller's address; of an IPv6 one the /64 that its owner has. */
  addressOf(request: IncomingMessage): string {
    return networkOf(this.clientOf(request));
  }

  /** What connections count under; undefined for a trusted proxy, which brings those of many. */
  connectionOf(remote: string | undefined): string | undefined {
    return remote === undefined || this.#trusts(remote) ? undefined : networkOf(plain(remote));
  }

  /** The caller's address, whole. */
  clientOf(request: IncomingMessage): string {
    let address = request.socket.remoteAddress ?? "unknown";
    if (this.#proxies !== undefined && this.#trusts(address)) {
      const hops = [request.headers["x-forwarded-for"] ?? []].flat().join(",").split(",");
      for (const hop of hops.reverse().map((text) => text.trim())) {
        if (isIP(hop) === 0) break;
        address = hop;
        if (!this.#trusts(hop)) break;
      }
    }
    return plain(address);
  }

  /** Headers for every answer to this request; without one, to what could not be read as a request. */
  headersFor(request?: IncomingMessage): Readonly<Record<string, string>> {
    const secure = request === undefined ? this.#alwaysSecure : this.isSecure(request);
    return secure ? this.#secureHeaders : this.#plainHeaders;
  }

  /** Headers that let a web page of an allowed origin read the answer; empty for every other. */
  crossOrigin(pageOrigin: string | undefined): Readonly<Record<string, string>> {
    if (pageOrigin === undefined) return {};
    const exposed = "Link, X-Total-Count, X-Request-Id, ETag, X-Checksum-Sha256, X-Source-Digest, Retry-After";
    if (this.#origins.has("*")) {
      return { "access-control-allow-origin": "*", "access-control-expose-headers": exposed };
    }
    if (!this.#origins.has(pageOrigin)) return {};
    return {
      "access-control-allow-origin": pageOrigin,
      "access-control-allow-credentials": "true",
      "access-control-expose-headers": exposed,
    };
  }

  #accepts(host: string): boolean {
    const match = /^([a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/i.exec(host);
    const name = match?.[1]?.toLowerCase();
    if (name === undefined) return false;
    return this.#anyHost || this.#exactHosts.has(name) || this.#hostSuffixes.some((suffix) => name.endsWith(suffix));
  }

  #trusts(address: string | undefined): boolean {
    const version = isIP(address ?? "");
    if (address === undefined || version === 0 || this.#proxies === undefined) return false;
    return this.#proxies.check(address, version === 6 ? "ipv6" : "ipv4");
  }
}

/** An IPv4 address without its IPv6 coat. */
function plain(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, "");
}

function first(header: string | string[] | undefined): string | undefined {
  return [header ?? []].flat()[0]?.split(",")[0]?.trim();
}
