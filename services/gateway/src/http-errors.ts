import { STATUS_CODES } from "node:http";
import { type ErrorKind, type FieldError, invalid, isRegistryError, RegistryError } from "@registry/domain";
import { toRegistryError } from "@registry/kit";

/** The one table between error kinds and HTTP statuses. */
const statuses: { readonly [kind in ErrorKind]: number } = {
  invalid_argument: 400,
  unauthenticated: 401,
  permission_denied: 403,
  not_found: 404,
  already_exists: 409,
  gone: 410,
  too_large: 413,
  unsupported_media: 415,
  rejected: 422,
  conflict: 409,
  out_of_range: 416,
  rate_limited: 429,
  unavailable: 503,
  deadline_exceeded: 504,
  // Its caller went away, so nobody reads this.
  cancelled: 503,
  unimplemented: 501,
  internal: 500,
};

/** The status with which a failure of this kind is answered. */
export function statusOf(kind: ErrorKind): number {
  return statuses[kind];
}

/** What a publish of new bytes answers that was not refused: seen at once, or kept back until somebody agreed. */
export const publishStatuses = { published: 201, held: 202 } as const;

/** A failure that only HTTP knows, such as a method that a route does not have. */
export class HttpError extends Error {
  override readonly name = "HttpError";
  readonly status: number;
  readonly reason: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, reason: string, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.reason = reason;
    this.headers = headers;
  }
}

export const routeNotFound = (): HttpError => new HttpError(404, "ROUTE_NOT_FOUND", "There is nothing at this path");
export const methodNotAllowed = (allow: string): HttpError =>
  new HttpError(405, "METHOD_NOT_ALLOWED", `This path takes ${allow}`, { allow });
export const untrustedHost = (): HttpError =>
  new HttpError(400, "UNTRUSTED_HOST", "The registry does not answer under this host name; see TRUSTED_HOSTS");
export const rangeNotSatisfiable = (size: number): HttpError =>
  new HttpError(416, "RANGE_NOT_SATISFIABLE", "The range lies outside of the content", {
    "content-range": `bytes */${size}`,
  });

export function packageTooLarge(maxBytes: number): RegistryError {
  const message = `package: is larger than ${maxBytes} bytes, which is the most that this registry takes`;
  return new RegistryError("too_large", "PACKAGE_TOO_LARGE", message, {
    fields: [{ pointer: "/package", reason: message }],
  });
}

/** What the framework refuses, by its code: status, reason and a text that echoes nothing. */
const framework: Readonly<Record<string, readonly [number, string, string]>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [
    415,
    "UNSUPPORTED_MEDIA_TYPE",
    "The body has a media type that this route does not take",
  ],
  FST_ERR_CTP_BODY_TOO_LARGE: [413, "BODY_TOO_LARGE", "The body is larger than this route takes"],
  FST_ERR_CTP_INVALID_JSON_BODY: [400, "MALFORMED_BODY", "The body is not valid JSON"],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: [400, "MALFORMED_BODY", "The body is shorter or longer than its Content-Length"],
  FST_ERR_BAD_URL: [400, "MALFORMED_URL", "The path is not valid percent-encoded UTF-8"],
  FST_ERR_MAX_PARAM_LENGTH: [414, "URL_TOO_LONG", "A part of the path is too long"],
  // What the JSON reader throws for `__proto__` and the like, and for broken text.
  SyntaxError: [400, "MALFORMED_BODY", "The body is not valid JSON"],
};

/** What goes out for a failure. */
export interface ProblemAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Problem;
  /** True for a fault of ours, whose cause belongs in the log. */
  readonly fault: boolean;
}

/** An RFC 9457 problem document. */
export interface Problem {
  readonly type: "about:blank";
  readonly title: string;
  readonly status: number;
  /** Safe to show. */
  readonly detail: string;
  /** Stable UPPER_SNAKE word that programs branch on. */
  readonly code: string;
  readonly request_id: string;
  readonly errors?: readonly FieldError[];
}

function problem(
  status: number,
  code: string,
  detail: string,
  requestId: string,
  errors?: readonly FieldError[],
): Problem {
  const title = STATUS_CODES[status] ?? "Error";
  const list = errors === undefined || errors.length === 0 ? {} : { errors };
  return { type: "about:blank", title, status, detail, code, request_id: requestId, ...list };
}

/** What a list's token is called here. */
const wrongCursor = invalid("INVALID_PAGE_TOKEN", "cursor: use the next_cursor of the previous answer", "/cursor");

function known(failure: RegistryError, requestId: string): ProblemAnswer {
  const error = failure.reason === wrongCursor.reason ? wrongCursor : failure;
  const status = statuses[error.kind];
  const retryAfter = error.retryAfterSeconds ?? (status === 503 || status === 429 ? 2 : undefined);
  return {
    status,
    headers: {
      ...(retryAfter === undefined ? {} : { "retry-after": String(retryAfter) }),
      ...(status === 401 ? { "www-authenticate": "Bearer" } : {}),
    },
    body: problem(status, error.reason, error.message, requestId, error.fields),
    fault: error.kind === "internal",
  };
}

/** Turns whatever was thrown into an answer; what is unknown becomes 500 with a fixed text. */
export function toProblem(error: unknown, requestId: string): ProblemAnswer {
  if (isRegistryError(error)) return known(error, requestId);
  if (error instanceof HttpError) {
    const body = problem(error.status, error.reason, error.message, requestId);
    return { status: error.status, headers: error.headers, body, fault: false };
  }
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const found = framework[code] ?? (error instanceof SyntaxError ? framework.SyntaxError : undefined);
  if (found !== undefined) {
    const [status, reason, detail] = found;
    return { status, headers: {}, body: problem(status, reason, detail, requestId), fault: false };
  }
  const status = error instanceof Error && "statusCode" in error ? Number(error.statusCode) : 500;
  if (status >= 400 && status < 500) {
    const body = problem(status, "BAD_REQUEST", "The request cannot be read", requestId);
    return { status, headers: {}, body, fault: false };
  }
  return known(toRegistryError(error), requestId);
}

/** What is answered on a socket whose request could not even be parsed: a complete HTTP/1.1 message, its status and its body's bytes. */
export function rawProblem(
  error: NodeJS.ErrnoException,
  requestId: string,
  headers: readonly string[],
): { readonly status: number; readonly bytes: number; readonly message: string } {
  const [status, reason, detail] =
    error.code === "HPE_HEADER_OVERFLOW"
      ? ([431, "HEADERS_TOO_LARGE", "The request's headers are larger than 16 KiB"] as const)
      : error.code === "ERR_HTTP_REQUEST_TIMEOUT"
        ? ([408, "REQUEST_TIMEOUT", "The request took too long to arrive"] as const)
        : ([400, "MALFORMED_REQUEST", "The request is not valid HTTP"] as const);
  const body = JSON.stringify(problem(status, reason, detail, requestId));
  const bytes = Buffer.byteLength(body);
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    "content-type: application/problem+json; charset=utf-8",
    `content-length: ${bytes}`,
    "cache-control: no-store",
    `x-request-id: ${requestId}`,
    ...headers,
    "connection: close",
  ];
  return { status, bytes, message: `${lines.join("\r\n")}\r\n\r\n${body}` };
}
