import { METHODS } from "node:http";
import { anonymous, rateLimited, unauthenticated } from "@registry/domain";
import type { Clock, Identity, Resolved } from "@registry/kit";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { TrustedCache } from "./cache.ts";
import type { Exchanges } from "./exchanges.ts";
import { methodNotAllowed } from "./http-errors.ts";
import { readInput } from "./input.ts";
import type { Limiter } from "./limiter.ts";
import { etagOf, matches, type ReadyAnswer, type ReadyAnswers } from "./ready.ts";
import { type Answer, type Call, type Method, needsCredential, type Route, templateOf } from "./route.ts";
import type { Edge } from "./security.ts";

export interface Limits {
  readonly reads: Limiter;
  readonly writes: Limiter;
}

export interface DispatchDeps {
  /** False: every read needs a credential. */
  readonly anonymousRead: boolean;
  readonly clock: Clock;
  readonly identity: Identity;
  readonly edge: Edge;
  readonly exchanges: Exchanges;
  readonly limits: Limits;
  readonly cache: TrustedCache<ReadyAnswer>;
  readonly ready: ReadyAnswers;
}

const readDeadlineMs = 10_000;
const callers = "caller";

/** Makes routes reachable; every path then answers every other method with 405. */
export function dispatch(app: FastifyInstance, deps: DispatchDeps, routes: readonly Route[]): void {
  app.decorateRequest(callers, null);
  for (const route of routes) {
    app.route({
      method: route.method,
      url: route.url,
      ...(route.maxBodyBytes === undefined ? {} : { bodyLimit: route.maxBodyBytes }),
      onRequest: (request) => admit(deps, route, request),
      handler: (request, reply) => answer(deps, route, request, reply),
    });
  }
  const everyMethod = learnMethods(app);
  for (const [url, methods] of methodsByUrl(routes)) {
    const taken: readonly string[] = [...methods, ...(methods.includes("GET") ? ["HEAD"] : []), "OPTIONS"];
    const allow = taken.join(", ");
    const others = everyMethod.filter((method) => !taken.includes(method));
    const refuse = async (): Promise<never> => {
      throw methodNotAllowed(allow);
    };
    app.route({ method: others, url, exposeHeadRoute: false, onRequest: refuse, handler: refuse });
    app.options(url, async (request, reply) => preflight(request, reply, allow));
  }
}

/** Teaches the router every method that can arrive at all. @returns them */
function learnMethods(app: FastifyInstance): string[] {
  // CONNECT never comes to a handler: its connection is ended at once.
  const methods = METHODS.filter((method) => method !== "CONNECT");
  for (const method of methods) if (!app.supportedMethods.includes(method)) app.addHttpMethod(method);
  return methods;
}

function methodsByUrl(routes: readonly Route[]): Map<string, Method[]> {
  const methods = new Map<string, Method[]>();
  for (const { url, method } of routes) methods.set(url, [...(methods.get(url) ?? []), method]);
  return methods;
}

/** Before the body is read: is this caller who it says, may anybody like that come in, and not too often? */
async function admit(deps: DispatchDeps, route: Route, request: FastifyRequest): Promise<void> {
  const { edge, limits } = deps;
  const address = edge.addressOf(request.raw);
  // Whoever logs in brings a password; a token sent out of habit, perhaps one that has ended, is beside the point.
  const isLogin = route.guessing === true && route.access === "anyone";
  const resolved = isLogin
    ? nobody
    : await deps.identity.resolveOutsider(request.headers.authorization, edge.clientOf(request.raw));
  deps.exchanges.identified(request.raw, resolved.caller);
  if (route.method !== "GET") {
    refuseIfOver(limits.writes.take(resolved.caller.type === "user" ? `user ${resolved.caller.id}` : address));
  }
  // The services decide who may do what; whom they would all turn away need not send anything first.
  if (resolved.caller.type === "anonymous" && needsCredential(route, deps.anonymousRead)) throw unauthenticated();
  request.setDecorator<Resolved>(callers, resolved);
}

const nobody: Resolved = { caller: anonymous, authorization: undefined };

function refuseIfOver(seconds: number): void {
  if (seconds > 0) throw rateLimited(seconds);
}

async function answer(
  deps: DispatchDeps,
  route: Route,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<unknown> {
  const call = callOf(deps, route, request, reply);
  const lease = deps.cache.lease();
  const result = await route.handle(call);
  if (result.taken === true) return reply;
  return send(deps, route, call, lease, result);
}

function callOf(deps: DispatchDeps, route: Route, request: FastifyRequest, reply: FastifyReply): Call {
  const { caller, authorization } = request.getDecorator<Resolved>(callers);
  const gone = new AbortController();
  reply.raw.once("close", () => {
    if (!reply.raw.writableFinished) gone.abort();
  });
  const { "*": path, ...params } = request.params as Record<string, string>;
  const address = deps.edge.clientOf(request.raw);
  const context = {
    authorization,
    signal: gone.signal,
    deadline: new Date(deps.clock.now().getTime() + (route.deadlineMs ?? readDeadlineMs)),
    requestId: request.id,
    address,
  };
  return {
    params: path === undefined ? params : { ...params, path },
    query: route.query === undefined ? undefined : readInput(route.query, request.query, "query"),
    body: route.body === undefined || route.body === "form" ? undefined : readInput(route.body, request.body, "body"),
    caller,
    // Hosts that are not trusted were turned away before; probes alone come under any name.
    origin: deps.edge.tryOriginOf(request.raw) ?? "",
    context,
    renewed: async () => {
      const now = await deps.identity.resolveOutsider(request.headers.authorization, address);
      return { ...context, authorization: now.authorization };
    },
    credential: request.headers.authorization?.replace(/^Bearer /i, ""),
    request,
    reply,
  };
}

function send(deps: DispatchDeps, route: Route, call: Call, lease: number, result: Answer): FastifyReply {
  const { request, reply, origin } = call;
  const isRead = route.method === "GET";
  const body = typeof result.body === "string" ? Buffer.from(result.body) : result.body;
  const headers: Record<string, string> = {
    "cache-control": cachingOf(call, isRead, result),
    ...result.headers,
  };
  if (!isRead || result.status !== 200 || body === undefined) {
    return reply.code(result.status).headers(headers).send(body);
  }
  headers.etag ??= etagOf(body);
  if (request.method === "GET" && call.credential === undefined && result.keep !== undefined) {
    const all = { ...deps.edge.headersFor(request.raw), vary: deps.edge.varies, ...headers };
    deps.ready.keep(lease, request.raw, origin, templateOf(route.url), { ...result, body }, all, headers.etag);
  }
  if (matches(request.headers["if-none-match"], headers.etag)) {
    return reply.code(304).headers(headers).removeHeader("content-type").send();
  }
  return reply.code(200).headers(headers).send(body);
}

/** Where a page is sent on, or a browser is given something to keep, the answer carries a secret as often as not. */
function cachingOf(call: Call, isRead: boolean, { status, headers }: Answer): string {
  if (!isRead || status === 302 || status === 303 || headers["set-cookie"] !== undefined) return "no-store";
  return call.credential === undefined ? "no-cache" : "private, no-cache";
}

function preflight(request: FastifyRequest, reply: FastifyReply, allow: string): FastifyReply {
  const asked = request.headers["access-control-request-method"] !== undefined;
  const open = reply.getHeader("access-control-allow-origin") !== undefined;
  if (asked && open) {
    reply.headers({
      "access-control-allow-methods": allow,
      "access-control-allow-headers": "Authorization, Content-Type, If-None-Match, Last-Event-ID, Range, X-Request-Id",
      "access-control-max-age": "600",
    });
  }
  return reply.code(204).header("allow", allow).send();
}
