/**
 * The one error vocabulary of the registry. Every service throws these; they cross the wire intact
 * (see the kit's gRPC error file) and only the gateway turns a kind into an HTTP status.
 */
export const errorKinds = [
  /** The request cannot be read or a field breaks a rule of form. */
  "invalid_argument",
  /** No credential, or one that does not hold. */
  "unauthenticated",
  /** The caller is known and may see the thing, but may not do this to it. */
  "permission_denied",
  /** It does not exist, or the caller may not know that it does. */
  "not_found",
  /** It exists already with other content. */
  "already_exists",
  /** It existed and was deleted for ever. */
  "gone",
  /** A size, count or depth is over its limit. */
  "too_large",
  /** The content is in a format that the registry does not take. */
  "unsupported_media",
  /** Well-formed, but refused by a rule about its content. */
  "rejected",
  /** The state of the thing does not allow this now; a retry with the same input may. */
  "conflict",
  /** A byte range that the content does not have. */
  "out_of_range",
  /** Over a rate limit. */
  "rate_limited",
  /** A store or a service is away; try again later. */
  "unavailable",
  /** Time ran out before the answer was known. */
  "deadline_exceeded",
  /** The caller went away. */
  "cancelled",
  /** The operation exists in the contract but not in this build. */
  "unimplemented",
  /** A fault of ours. Its text is fixed; the cause is in the log. */
  "internal",
] as const;

export type ErrorKind = (typeof errorKinds)[number];

/** One violated rule: `pointer` is a JSON pointer into the input (`/tags/3`, or `archive:path/in/archive`). */
export interface FieldError {
  readonly pointer: string;
  readonly reason: string;
}

export interface RegistryErrorOptions {
  /** Rule by rule, where the input broke several. */
  readonly fields?: readonly FieldError[];
  /** Seconds after which a retry makes sense. */
  readonly retryAfterSeconds?: number;
  readonly cause?: unknown;
}

/**
 * A failure that its receiver may be told about.
 *
 * `reason` is a stable UPPER_SNAKE word that programs branch on; `message` is safe to show to anybody who may
 * make the call and never echoes raw input beyond 64 escaped characters (see `quote`).
 */
export class RegistryError extends Error {
  override readonly name = "RegistryError";
  readonly kind: ErrorKind;
  readonly reason: string;
  readonly fields: readonly FieldError[];
  readonly retryAfterSeconds: number | undefined;

  constructor(kind: ErrorKind, reason: string, message: string, options: RegistryErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    this.reason = reason;
    this.fields = options.fields ?? [];
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

/** Shows untrusted text inside a message: at most 64 characters, everything but printable ASCII escaped. */
export function quote(text: string): string {
  const shown = Array.from(text.slice(0, 64), (c) =>
    c >= " " && c <= "~" && c !== '"' && c !== "\\" ? c : `\\u{${(c.codePointAt(0) ?? 0).toString(16)}}`,
  ).join("");
  return `"${shown.slice(0, 64)}${shown.length > 64 || text.length > 64 ? "…" : ""}"`;
}

export function isRegistryError(error: unknown): error is RegistryError {
  return error instanceof RegistryError;
}

/** Whether a store or a service did not answer, or not in time: another try may go well. */
export function isAway(error: unknown): boolean {
  return isRegistryError(error) && (error.kind === "unavailable" || error.kind === "deadline_exceeded");
}

export const invalid = (reason: string, message: string, pointer?: string): RegistryError =>
  new RegistryError(
    "invalid_argument",
    reason,
    message,
    pointer === undefined ? {} : { fields: [{ pointer, reason: message }] },
  );

export const notFound = (reason: string, message: string): RegistryError =>
  new RegistryError("not_found", reason, message);
export const pluginNotFound = (): RegistryError => notFound("PLUGIN_NOT_FOUND", "Plugin not found");
export const versionNotFound = (): RegistryError => notFound("VERSION_NOT_FOUND", "Plugin version not found");
export const unauthenticated = (): RegistryError =>
  new RegistryError("unauthenticated", "INVALID_CREDENTIAL", "Invalid authentication");
export const permissionDenied = (): RegistryError =>
  new RegistryError("permission_denied", "PERMISSION_DENIED", "Permission denied");
export const unavailable = (what: string, cause?: unknown): RegistryError =>
  new RegistryError("unavailable", "UNAVAILABLE", `${what} is away; try again in a few seconds`, {
    retryAfterSeconds: 2,
    cause,
  });
/** @param seconds after which there is room again */
export const rateLimited = (seconds: number): RegistryError =>
  new RegistryError("rate_limited", "RATE_LIMITED", `Too many requests; try again in ${seconds} s`, {
    retryAfterSeconds: seconds,
  });
