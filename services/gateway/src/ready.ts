import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Ids } from "@registry/kit";
import type { TrustedCache } from "./cache.ts";
import { clientKind } from "./client-kind.ts";
import type { Exchanges } from "./exchanges.ts";
import type { Limiter } from "./limiter.ts";
import type { RequestTimes } from "./metrics.ts";
import { requestIdOf } from "./request-id.ts";
import type { Answer, Keep } from "./route.ts";
import type { Edge } from "./security.ts";
import type { UsageSpool } from "./spool.ts";

/** An answer as it leaves, down to its headers. */
export interface ReadyAnswer {
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly etag: string;
  /** A byte for each character where it is text: headers and body then leave in one write. */
  readonly body: Buffer | string;
  readonly search: Keep["search"];
  readonly download: Keep["download"];
  /** Template of the route. */
  readonly endpoint: string;
  readonly observe: (status: 200 | 304, seconds: number) => void;
}

export interface ReadyDeps {
  readonly cache: TrustedCache<ReadyAnswer>;
  readonly edge: Edge;
  readonly reads: Limiter;
  readonly spool: UsageSpool;
  readonly times: RequestTimes;
  /** Told of the bytes of packages. */
  readonly sent: (bytes: number) => void;
  readonly exchanges: Exchanges;
  readonly ids: Ids;
}

const longestUrl = 1024;
/** Beyond this, copying costs more than a second write. */
const longestText = 64 * 1024;

/**
 * Answers what is kept ready, before the framework sees the request: anonymous reads of a trusted host by no web page of
 * another origin, of the whole. Everything else goes on its way.
 */
export class ReadyAnswers {
  readonly #deps: ReadyDeps;
  #open = true;

  constructor(deps: ReadyDeps) {
    this.#deps = deps;
  }

  /** From now on everything goes on its way. */
  close(): void {
    this.#open = false;
  }

  /** @returns true where it answered */
  serve(request: IncomingMessage, response: ServerResponse): boolean {
    const { cache, edge, reads, spool, sent, exchanges, ids } = this.#deps;
    const { headers, url = "" } = request;
    if (!this.#open || request.method !== "GET" || cache.size === 0) return false;
    if (headers.authorization !== undefined || headers.origin !== undefined || headers.range !== undefined)
      return false;
    const origin = edge.tryOriginOf(request);
    const ready = origin === undefined ? undefined : cache.get(keyOf(origin, url, headers.accept));
    if (ready === undefined) return false;
    if (reads.active && reads.take(edge.addressOf(request)) > 0) return false;
    const exchange = exchanges.begin(request);
    const requestId = requestIdOf(request, ids);
    if (ready.search !== undefined) spool.search({ ...ready.search, user_id: 0 }, edge.clientOf(request));
    const fresh = matches(headers["if-none-match"], ready.etag);
    if (ready.download !== undefined && !fresh) {
      const { plugin, version, route } = ready.download;
      const use = { plugin, version, user_id: 0, client: clientKind(route, headers["user-agent"]) };
      spool.download(use, edge.clientOf(request));
      sent(ready.body.length);
    }
    if (fresh) {
      response.writeHead(304, [...withoutBody(ready.headers), "x-request-id", requestId]);
      response.end();
    } else {
      response.writeHead(200, [...ready.headers, "x-request-id", requestId]);
      response.end(ready.body, "latin1");
    }
    const status = fresh ? 304 : 200;
    const durationMs = performance.now() - exchange.startedAt;
    ready.observe(status, durationMs / 1000);
    const bytes = fresh ? 0 : ready.body.length;
    exchanges.end(exchange, request, { method: "GET", route: ready.endpoint, status, durationMs, bytes, requestId });
    return true;
  }

  /** Keeps an answer for the same question. */
  keep(
    lease: number,
    request: IncomingMessage,
    origin: string,
    endpoint: string,
    answer: Answer & { readonly body: Buffer },
    headers: Readonly<Record<string, string>>,
    etag: string,
  ): void {
    const { cache, times } = this.#deps;
    const url = request.url ?? "";
    if (answer.keep === undefined || url.length > longestUrl) return;
    const flat = Object.entries({ ...headers, "content-length": String(answer.body.length) }).flat();
    const ready: ReadyAnswer = {
      headers: flat,
      etag,
      body: answer.body.length <= longestText ? answer.body.toString("latin1") : answer.body,
      search: answer.keep.search,
      download: answer.keep.download,
      endpoint,
      observe: times.observerOf("GET", endpoint),
    };
    const key = keyOf(origin, url, request.headers.accept);
    cache.store(lease, key, ready, answer.body.length + key.length + 1024, answer.keep.tags);
  }
}

/** The root alone looks at what the client accepts. */
function keyOf(origin: string, url: string, accept: string | undefined): string {
  return url === "/" && accept?.includes("text/html") === true ? `${origin}/ html` : origin + url;
}

export function etagOf(body: Buffer): string {
  return `"${createHash("sha256").update(body).digest("base64url").slice(0, 27)}"`;
}

/** `If-None-Match` by weak comparison. */
export function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  if (header.trim() === "*") return true;
  return header.split(",").some((tag) => tag.trim().replace(/^W\//, "") === etag);
}

function withoutBody(headers: readonly string[]): string[] {
  return headers.filter((_, index) => {
    const name = headers[index - (index % 2)];
    return name !== "content-length" && name !== "content-type";
  });
}
