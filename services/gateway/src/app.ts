import type { RequestListener, Server } from "node:http";
import type { Duplex } from "node:stream";
import multipart from "@fastify/multipart";
import { rateLimited } from "@registry/domain";
import type { Clock, Ids, Logger, WatchedTls } from "@registry/kit";
import fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import type { AnswerTimes } from "./answer-times.ts";
import type { GatewayConfig } from "./config.ts";
import type { Limits } from "./dispatch.ts";
import type { Exchanges } from "./exchanges.ts";
import { rawProblem, routeNotFound, toProblem } from "./http-errors.ts";
import { createListener } from "./listener.ts";
import { type RequestTimes, unmatched } from "./metrics.ts";
import type { ReadyAnswers } from "./ready.ts";
import { requestIdOf } from "./request-id.ts";
import { closedPolicy, type Edge } from "./security.ts";

export interface AppDeps {
  readonly config: GatewayConfig;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Logger;
  readonly edge: Edge;
  readonly limits: Limits;
  readonly ready: ReadyAnswers;
  readonly times: RequestTimes;
  readonly answerTimes: AnswerTimes;
  readonly exchanges: Exchanges;
  /** Absent: plain HTTP. */
  readonly tls: WatchedTls | undefined;
  /** Aborted when the process is about to close: every answer then ends its connection, so that clients go elsewhere. */
  readonly ending: AbortSignal;
}

/** JSON bodies are small; packages come as multipart streams, which are counted on their own. */
const bodyBytes = 64 * 1024;
/** Probes come by address, not by name. */
const probes: ReadonlySet<string> = new Set(["/health", "/ready", "/metrics"]);

/** The HTTP server with everything that holds for all routes. */
export function createApp(deps: AppDeps): FastifyInstance {
  const app = fastify({
    logger: false,
    bodyLimit: bodyBytes,
    forceCloseConnections: "idle",
    // What still comes in on open connections while the server closes is answered like everything else.
    return503OnClosing: false,
    routerOptions: { maxParamLength: 2048, caseSensitive: true },
    genReqId: (request) => requestIdOf(request, deps.ids),
    rewriteUrl: (request) => joinNamespace(request.url ?? "/"),
    serverFactory: (handle) => listener(deps, handle),
    frameworkErrors: (error, request, reply) => void fail(deps, error, request, reply as FastifyReply),
    clientErrorHandler: (error, socket) => refuseRaw(deps, error, socket),
  });
  app.removeContentTypeParser("text/plain");
  letBodiesBeEmpty(app);
  app.register(multipart, {
    throwFileSizeLimit: false,
    limits: {
      fileSize: deps.config.LIMIT_PACKAGE_BYTES + 1,
      fieldSize: bodyBytes,
      fieldNameSize: 100,
      fields: 16,
      files: 4,
      parts: 20,
      headerPairs: 20,
    },
    isPartAFile: (field, _type, filename) => field === "package" || field === "manifest" || filename !== undefined,
  });
  app.addHook("onRequest", async (request, reply) => welcome(deps, request, reply));
  app.setErrorHandler<FastifyError>((error, request, reply) => fail(deps, error, request, reply));
  app.setNotFoundHandler(async () => {
    throw routeNotFound();
  });
  return app;
}

/** Clients that name the type of a body which they then leave out have sent none. */
function letBodiesBeEmpty(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser("error", "error");
  app.addContentTypeParser<string>("application/json", { parseAs: "string" }, (request, body, done) => {
    if (body === "") done(null, undefined);
    else parse(request, body, done);
  });
}

function listener(deps: AppDeps, handle: RequestListener): Server {
  const { config, edge, exchanges, ready, times, tls, ending } = deps;
  return createListener({
    serve: (request, response) => {
      if (ending.aborted) response.shouldKeepAlive = false;
      if (ready.serve(request, response)) return;
      response.once("close", times.begin());
      exchanges.follow(request, response, () => handle(request, response));
    },
    tls,
    maxConnections: config.LIMIT_CONNECTIONS,
    maxPerAddress: config.LIMIT_CONNECTIONS_PER_ADDRESS,
    addressOf: (remote) => edge.connectionOf(remote),
  });
}

/** `@namespace/name` is one part of the path for the router, as `@namespace%2Fname` is. */
export function joinNamespace(url: string): string {
  if (!url.includes("/@") && !url.includes("/%40")) return url;
  return url.replace(/^((?:\/api\/v1(?:\/analytics)?)?\/plugins\/(?:@|%40)[^/?%]+)\//, "$1%2F");
}

function addCommonHeaders({ edge }: AppDeps, request: FastifyRequest, reply: FastifyReply): void {
  reply.headers({
    ...edge.headersFor(request.raw),
    ...edge.crossOrigin(request.headers.origin),
    vary: edge.varies,
    "x-request-id": request.id,
  });
}

function welcome(deps: AppDeps, request: FastifyRequest, reply: FastifyReply): void {
  const { edge, exchanges, limits, answerTimes } = deps;
  exchanges.routed(request, reply);
  answerTimes.follow(request, reply);
  addCommonHeaders(deps, request, reply);
  if (!probes.has(request.url)) edge.originOf(request.raw);
  if (limits.reads.active && (request.method === "GET" || request.method === "HEAD") && !probes.has(request.url)) {
    const seconds = limits.reads.take(edge.addressOf(request.raw));
    if (seconds > 0) throw rateLimited(seconds);
  }
  // Whatever else may be wrong with it: its body is not looked at.
  if (request.is404) throw routeNotFound();
}

function fail(deps: AppDeps, error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const answer = toProblem(error, request.id);
  if (answer.fault) deps.log.error({ err: error, request_id: request.id }, "request failed");
  // What cannot even be routed comes here without having been welcomed.
  if (!reply.hasHeader("x-request-id")) {
    deps.exchanges.routed(request, reply);
    addCommonHeaders(deps, request, reply);
    deps.times.observe(request.method, unmatched, answer.status, reply.elapsedTime / 1000);
  }
  reply.code(answer.status).headers(answer.headers);
  reply.headers({
    "content-type": "application/problem+json; charset=utf-8",
    "cache-control": "no-store",
    "content-security-policy": closedPolicy,
  });
  // What is left of a body that was refused halfway is read and dropped, so that the client gets to read the answer.
  if (!request.raw.complete) request.raw.unpipe().resume();
  return reply.send(JSON.stringify(answer.body));
}

function refuseRaw(deps: AppDeps, error: NodeJS.ErrnoException, socket: Duplex): void {
  // Where no handshake was made there is nobody who could read an answer.
  if (error.code === "ECONNRESET" || /^ERR_(?:SSL|TLS)_/.test(error.code ?? "") || !socket.writable) {
    socket.destroy();
    return;
  }
  const { edge, exchanges, times, answerTimes } = deps;
  const headers = Object.entries(edge.headersFor()).map(([name, value]) => `${name}: ${value}`);
  // Perhaps it still listens; as a rule a client has gone that ends in the middle of its request.
  const gone = error.code === "HPE_INVALID_EOF_STATE";
  exchanges.broken(socket, gone, (requestId, during) => {
    const { status, bytes, message } = rawProblem(error, requestId, headers);
    if (during === undefined) times.observe("", unmatched, status, 0);
    else if (!gone) answerTimes.refused(during, status);
    socket.end(message, () => socket.destroy());
    return { status, bytes };
  });
}
