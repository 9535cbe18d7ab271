import type { Caller, ClientKind } from "@registry/domain";
import type { PassedOn } from "@registry/kit";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { z } from "zod";

/** One request, with everything about it that was checked already. */
export interface Call<Query = unknown, Body = unknown> {
  /** Decoded parts of the path, by name; unchecked otherwise. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: Query;
  readonly body: Body;
  readonly caller: Caller;
  /** Start of every link in the answer, without a slash at its end. */
  readonly origin: string;
  /** For calls to services on behalf of the caller: ends with the deadline, and when the client goes away. */
  readonly context: PassedOn;
  /**
   * The same with the rights that the credential has by now, for what is done long after the request began.
   * @throws kind `unauthenticated` where it holds no longer
   */
  readonly renewed: () => Promise<PassedOn>;
  /** The credential as it came, without `Bearer `; undefined for anonymous callers. */
  readonly credential: string | undefined;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/** What an answer may be kept ready under, for anonymous callers. */
export interface Keep {
  /** Names whose change makes it wrong; `everyChange` for lists. */
  readonly tags: readonly string[];
  /** A search is counted again each time that it is answered from memory. */
  readonly search?: { readonly query: string; readonly results_count: number };
  /** So is a download. */
  readonly download?: { readonly plugin: string; readonly version: string; readonly route: ClientKind };
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer | undefined;
  readonly keep?: Keep;
  /** The handler wrote to the socket itself. */
  readonly taken?: true;
}

type Extra = { readonly status?: number; readonly headers?: Readonly<Record<string, string>>; readonly keep?: Keep };

export const jsonType = "application/json; charset=utf-8";

/** Text that is JSON already. */
export function jsonText(text: string, { status = 200, headers = {}, keep }: Extra = {}): Answer {
  const kept = keep === undefined ? {} : { keep };
  return { status, headers: { "content-type": jsonType, ...headers }, body: text, ...kept };
}

export function json(value: unknown, extra: Extra = {}): Answer {
  return jsonText(JSON.stringify(value), extra);
}

export function content(body: string | Buffer, type: string, { status = 200, headers = {}, keep }: Extra = {}): Answer {
  const kept = keep === undefined ? {} : { keep };
  return { status, headers: { "content-type": type, ...headers }, body, ...kept };
}

export function noContent(): Answer {
  return { status: 204, headers: {}, body: undefined };
}

export function redirect(location: string): Answer {
  return { status: 302, headers: { location }, body: undefined };
}

/** The handler has streamed its answer. */
export const taken: Answer = { status: 200, headers: {}, body: undefined, taken: true };

/** Who may use a route, as far as that can be told before anything is read. */
export type Access =
  /** Everybody, always. */
  | "anyone"
  /** Everybody, unless the registry asks for a credential on every read. */
  | "readers"
  /** Every user; the service decides what exactly is allowed. */
  | "users";

/** Headers that an answer may be documented with. */
export type HeaderName =
  | "ETag"
  | "X-Total-Count"
  | "Link"
  | "Location"
  | "Set-Cookie"
  | "Content-Range"
  | "Content-Disposition"
  | "X-Source-Digest";

export interface AnswerDoc {
  readonly description: string;
  readonly headers?: readonly HeaderName[];
  /** Of the JSON body. */
  readonly schema?: z.ZodType;
  /** Where it is not JSON, or not always: one type or several. */
  readonly type?: string | readonly string[];
}

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

interface RouteParts<Q extends z.ZodType, B extends z.ZodType> {
  readonly method: Method;
  /** Parts in colons; `*` for the rest of the path, which is then the parameter `path`. */
  readonly url: string;
  readonly tag: string;
  readonly summary: string;
  readonly access: Access;
  readonly query?: Q;
  /** `form`: multipart, read by the handler. */
  readonly body?: B | "form";
  readonly answers: Readonly<Record<number, AnswerDoc>>;
  /** Where anyone may come with a secret of another kind, a password for one: a credential sent along is not looked at. */
  readonly guessing?: true;
  /** A signed address does as well as the credential that every read may need. */
  readonly signed?: true;
  /** Default 10 s. */
  readonly deadlineMs?: number;
  /** Of a JSON body; default 64 KiB. */
  readonly maxBodyBytes?: number;
  /** False: left out of the OpenAPI document. */
  readonly documented?: false;
  handle(call: Call<z.output<Q>, z.output<B>>): Promise<Answer>;
}

/** One route: what the server does and what the documentation says come from the same place. */
export type Route = Omit<RouteParts<z.ZodType, z.ZodType>, "handle"> & { handle(call: Call): Promise<Answer> };

export function defineRoute<Q extends z.ZodType = z.ZodUndefined, B extends z.ZodType = z.ZodUndefined>(
  parts: RouteParts<Q, B>,
): Route {
  return parts as unknown as Route;
}

/** Whether nobody gets anything here without a credential. */
export function needsCredential({ access, signed }: Pick<Route, "access" | "signed">, anonymousRead: boolean): boolean {
  return access === "users" || (access === "readers" && !anonymousRead && signed !== true);
}

/** The path as the documentation and the metrics name it. */
export function templateOf(url: string): string {
  const known = templates.get(url);
  if (known !== undefined) return known;
  const template = url.replace(/:([a-z_]+)/g, "{$1}").replace(/\*$/, "{path}");
  templates.set(url, template);
  return template;
}

/** Asked for with every request, and there are as many as routes. */
const templates = new Map<string, string>();
