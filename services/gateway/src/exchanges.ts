import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { Caller } from "@registry/domain";
import {
  attribute,
  type Ids,
  inTrace,
  type LogOutput,
  ownAttribute,
  parseTraceparent,
  type Span,
  type TraceContext,
  type Tracing,
} from "@registry/kit";
import type { FastifyReply, FastifyRequest } from "fastify";
import { AccessLog, type Ended } from "./access-log.ts";
import { clientGone } from "./answer-times.ts";
import { clientKind } from "./client-kind.ts";
import { requestIdOf } from "./request-id.ts";
import { templateOf } from "./route.ts";

/** Asked by machines every few seconds. */
const probes: ReadonlySet<string> = new Set(["/health", "/ready", "/metrics"]);

const withoutBody: ReadonlySet<number> = new Set([204, 304]);

/** One request on its way to an answer. */
export interface Exchange {
  readonly startedAt: number;
  readonly span: Span | undefined;
  /** The span, or where none is recorded what the client says that it is a part of. */
  readonly trace: TraceContext | undefined;
}

/** Where requests are written down. */
export interface AccessLogOptions {
  readonly output: LogOutput;
  /** Also those that ask how the process is and are told that it is well, every few seconds. */
  readonly probes: boolean;
}

/** What was answered on the bare socket to a request that could not be read to its end. */
export interface Refusal {
  readonly status: number;
  /** Of the body. */
  readonly bytes: number;
}

type Refuse = (requestId: string, during: ServerResponse | undefined) => Refusal;

/** What is known of an exchange by now, at its request: a property costs less than a map from one to the other. */
const progress = Symbol("exchange");
interface Progress {
  readonly raw: IncomingMessage;
  readonly response: ServerResponse;
  requestId?: string;
  request?: FastifyRequest;
  reply?: FastifyReply;
  caller?: Caller;
  refused?: Refusal;
}
/** The request, and the connection that it came by, which knows the last of its requests until that has ended. */
type Followed<T> = T & { [progress]?: Progress | undefined };

/** OpenTelemetry's word for a method that is none. */
const noMethod = "_OTHER";

/** Follows every exchange to its end: a span where traces are on, and a line in the access log. */
export class Exchanges {
  readonly #tracing: Tracing;
  readonly #ids: Ids;
  readonly #log: AccessLog | undefined;
  readonly #logsProbes: boolean;

  /** @param log absent: no lines */
  constructor(tracing: Tracing, ids: Ids, log: AccessLogOptions | undefined) {
    this.#tracing = tracing;
    this.#ids = ids;
    this.#log = log === undefined ? undefined : new AccessLog(log.output);
    this.#logsProbes = log?.probes === true;
  }

  begin(request: IncomingMessage): Exchange {
    const { traceparent } = request.headers;
    const parent = traceparent === undefined ? undefined : parseTraceparent(traceparent);
    const span =
      this.#tracing.on && !isProbe(request)
        ? this.#tracing.begin({ name: methodOf(request), kind: "server", parent, root: true })
        : undefined;
    return { startedAt: performance.now(), span, trace: span ?? parent };
  }

  /** Serves a request that is answered in its own time. */
  follow(request: IncomingMessage, response: ServerResponse, serve: () => void): void {
    const exchange = this.begin(request);
    const known: Progress = { raw: request, response };
    const socket: Followed<typeof request.socket> = request.socket;
    (request as Followed<IncomingMessage>)[progress] = known;
    socket[progress] = known;
    const sentBefore = socket.bytesWritten;
    response.once("close", () => {
      // An idle connection holds on to nothing; one whose request goes on after its answer is not idle.
      if (socket[progress] === known && request.complete) socket[progress] = undefined;
      const aborted = !response.writableFinished && known.refused === undefined;
      const sent = socket.bytesWritten - sentBefore;
      const bytes = aborted ? sent : (bodyBytes(request, known.reply) ?? sent);
      const status = aborted && !response.headersSent ? clientGone : response.statusCode;
      this.end(exchange, request, {
        ...this.#describe(request, known),
        ...{ status, bytes, aborted, ...known.refused },
        durationMs: performance.now() - exchange.startedAt,
      });
    });
    inTrace(exchange.trace, serve);
  }

  /** The framework has taken the request. */
  routed(request: FastifyRequest, reply: FastifyReply): void {
    const known = (request.raw as Followed<IncomingMessage>)[progress];
    if (known !== undefined) Object.assign(known, { request, reply });
  }

  /** It is known who sent it. */
  identified(request: IncomingMessage, caller: Caller): void {
    const known = (request as Followed<IncomingMessage>)[progress];
    if (known !== undefined) known.caller = caller;
  }

  /**
   * What came on the connection can be read no further.
   * @param gone its other end has closed it
   * @param refuse answers it under the id that it is given; told of the exchange that broke, if one was under way
   */
  broken(socket: Duplex, gone: boolean, refuse: Refuse): void {
    const last = (socket as Followed<Duplex>)[progress];
    if (last === undefined || last.raw.complete) {
      this.#brokenAfter(last, socket, refuse);
    } else if (last.response.closed) {
      // It was answered already.
      socket.end(() => socket.destroy());
    } else if (last.response.headersSent) {
      // Within an answer nothing else can be said.
      socket.destroy();
    } else {
      const refusal = refuse(this.#requestIdOf(last.raw, last), last.response);
      if (!gone) last.refused = refusal;
    }
  }

  /** What cannot be read is another request: it waits for the answer to the one before. */
  #brokenAfter(last: Progress | undefined, socket: Duplex, refuse: Refuse): void {
    if (last !== undefined && !last.response.closed) {
      last.response.once("close", () => {
        if (socket.writable) this.#brokenAfter(undefined, socket, refuse);
      });
      return;
    }
    const requestId = this.#ids.unique();
    const ended = { ...refuse(requestId, undefined), method: noMethod, route: undefined, durationMs: 0, requestId };
    this.#log?.write(ended, clientKind("rest", undefined), undefined);
  }

  #requestIdOf(raw: IncomingMessage, known: Progress): string {
    known.requestId ??= known.request?.id ?? requestIdOf(raw, this.#ids);
    return known.requestId;
  }

  #describe(raw: IncomingMessage, known: Progress) {
    const { request, caller } = known;
    const url = request?.routeOptions.url;
    return {
      method: methodOf(raw),
      route: url === undefined ? undefined : templateOf(url),
      requestId: this.#requestIdOf(raw, known),
      userId: caller?.type === "user" ? caller.id : undefined,
    };
  }

  /** Tells of an exchange that has ended. */
  end({ span, trace }: Exchange, request: IncomingMessage, ended: Ended): void {
    if (span !== undefined) tellSpan(span, request, ended);
    const log = this.#log;
    if (log === undefined || (!this.#logsProbes && ended.status < 400 && isProbe(request))) return;
    log.write(ended, clientKind("rest", request.headers["user-agent"]), trace);
  }
}

function methodOf(request: IncomingMessage): string {
  return request.method ?? "GET";
}

function isProbe({ url = "" }: IncomingMessage): boolean {
  return probes.has(url);
}

/** @returns undefined where it was not known before the body had ended */
function bodyBytes(request: IncomingMessage, reply: FastifyReply | undefined): number | undefined {
  if (reply === undefined || request.method === "HEAD" || withoutBody.has(reply.raw.statusCode)) return 0;
  const length = reply.getHeader("content-length");
  return length === undefined ? undefined : Number(length);
}

function tellSpan(span: Span, request: IncomingMessage, { method, route, status, ...ended }: Ended): void {
  if (route !== undefined) span.rename(`${method} ${route}`);
  span.set({
    [attribute.httpMethod]: method,
    // Who went before there was an answer was sent no status.
    ...(status === clientGone ? {} : { [attribute.httpStatus]: status }),
    [attribute.httpBytes]: ended.bytes,
    [attribute.urlScheme]: "encrypted" in request.socket ? "https" : "http",
    [ownAttribute.requestId]: ended.requestId,
    ...(route === undefined ? {} : { [attribute.httpRoute]: route }),
  });
  if (status >= 500) span.fail(String(status));
  else if (ended.aborted === true) span.fail("aborted");
  span.end();
}
