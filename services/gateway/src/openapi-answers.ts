import type { AnswerDoc, HeaderName, Route } from "./route.ts";

type Json = { readonly [key: string]: unknown };

const text = { type: "string" };
const whole = { type: "integer", minimum: 0 };

const headerDocs: { readonly [name in HeaderName]: Json } = {
  ETag: { description: "For `If-None-Match`", schema: text },
  "X-Total-Count": { description: "Matches on all pages", required: true, schema: whole },
  Link: { description: "RFC 8288: addresses of other pages", schema: text },
  Location: { description: "Where to go on, or where what was made is", required: true, schema: text },
  "Set-Cookie": { description: "For the way back", schema: text },
  "Content-Range": { description: "Which part it is", required: true, schema: text },
  "Content-Disposition": { description: "Name of the file", schema: text },
  "X-Source-Digest": { description: "sha256 of the archive that these bytes were derived from", schema: text },
};

/** Headers of documented answers, by name. */
export function headersOf({ headers = [] }: AnswerDoc, status: string, isRead: boolean): Json {
  const names = isRead && status === "200" ? [...headers, "ETag" as const] : headers;
  if (names.length === 0) return {};
  return { headers: Object.fromEntries(names.map((name) => [name, headerDocs[name]])) };
}

const retryAfter = { "Retry-After": { description: "Seconds", required: true, schema: whole } };
const challenge = { "WWW-Authenticate": { description: "RFC 9110", required: true, schema: text } };

interface ProblemDoc {
  readonly name: string;
  readonly description: string;
  readonly headers?: Json;
  /** Whether a route may answer so. */
  readonly when: (route: Route) => boolean;
}

const hasPart = ({ url }: Route): boolean => /[:*]/.test(url);
const changes = ({ method }: Route): boolean => method !== "GET";
const hasBody = ({ body }: Route): boolean => body !== undefined;

const problems: { readonly [status: string]: ProblemDoc } = {
  400: { name: "Invalid", description: "The request breaks a rule of form", when: () => true },
  401: {
    name: "Unauthenticated",
    description: "No credential, or one that does not hold",
    headers: challenge,
    when: () => true,
  },
  403: {
    name: "Denied",
    description: "The caller may see it, but not do this",
    when: (route) => route.access !== "anyone" || changes(route),
  },
  404: { name: "NotFound", description: "It is not there, or not for the caller to know of", when: hasPart },
  409: { name: "Conflict", description: "What is there already does not allow it", when: changes },
  410: {
    name: "Gone",
    description: "It was deleted for ever, or what came after the cursor is not kept any more",
    when: ({ url }) => url.includes("/plugins/:name") || url === "/api/v1/changes",
  },
  413: { name: "TooLarge", description: "The body or what it holds is over a limit", when: hasBody },
  415: { name: "UnsupportedMedia", description: "In a format that the route does not take", when: hasBody },
  422: { name: "Rejected", description: "Well-formed, and refused for what it says", when: changes },
  429: { name: "TooMany", description: "Over a rate limit", headers: retryAfter, when: () => true },
  503: { name: "Unavailable", description: "A service is away", headers: retryAfter, when: () => true },
};

const any = { name: "Problem", description: "What went wrong" };

/** The problem documents that a route may answer with, as references by status. */
export function problemsOf(route: Route): Json {
  const possible = Object.entries(problems).filter(([, { when }]) => when(route));
  const named = [...possible, ["default", any] as const];
  return Object.fromEntries(named.map(([status, { name }]) => [status, { $ref: `#/components/responses/${name}` }]));
}

/** What those references point to. @param schema of a problem document */
export function problemResponses(schema: Json): Json {
  const content = { "application/problem+json": { schema } };
  const written = [...Object.values(problems), any].map(({ name, description, ...rest }: Omit<ProblemDoc, "when">) => [
    name,
    { description, ...(rest.headers === undefined ? {} : { headers: rest.headers }), content },
  ]);
  return Object.fromEntries(written);
}
