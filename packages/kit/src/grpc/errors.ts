import { type ErrorKind, errorKinds, isRegistryError, RegistryError } from "@registry/domain";
import { ClientError, type ServerError, Status } from "nice-grpc-common";
import { BadRequest, ErrorInfo, RetryInfo, RichClientError, RichServerError } from "nice-grpc-error-details";

/** The `domain` of our `ErrorInfo`. */
const errorDomain = "agenticraft-registry";

/** The one table between error kinds and gRPC codes. Kinds that share a code are told apart by `ErrorInfo`. */
const codes: { readonly [kind in ErrorKind]: Status } = {
  invalid_argument: Status.INVALID_ARGUMENT,
  unauthenticated: Status.UNAUTHENTICATED,
  permission_denied: Status.PERMISSION_DENIED,
  not_found: Status.NOT_FOUND,
  already_exists: Status.ALREADY_EXISTS,
  gone: Status.NOT_FOUND,
  too_large: Status.INVALID_ARGUMENT,
  unsupported_media: Status.INVALID_ARGUMENT,
  rejected: Status.FAILED_PRECONDITION,
  conflict: Status.ABORTED,
  out_of_range: Status.OUT_OF_RANGE,
  rate_limited: Status.RESOURCE_EXHAUSTED,
  unavailable: Status.UNAVAILABLE,
  deadline_exceeded: Status.DEADLINE_EXCEEDED,
  cancelled: Status.CANCELLED,
  unimplemented: Status.UNIMPLEMENTED,
  internal: Status.INTERNAL,
};

/** The name of the gRPC status that a kind of error is answered with. */
export function statusNameOf(kind: ErrorKind): string {
  return Status[codes[kind]];
}

/** What a plain gRPC code means where no `ErrorInfo` of ours came with it. */
const kinds: { readonly [code in Status]?: ErrorKind } = {
  [Status.CANCELLED]: "cancelled",
  [Status.INVALID_ARGUMENT]: "invalid_argument",
  [Status.DEADLINE_EXCEEDED]: "deadline_exceeded",
  [Status.NOT_FOUND]: "not_found",
  [Status.ALREADY_EXISTS]: "already_exists",
  [Status.PERMISSION_DENIED]: "permission_denied",
  [Status.RESOURCE_EXHAUSTED]: "rate_limited",
  [Status.FAILED_PRECONDITION]: "rejected",
  [Status.ABORTED]: "conflict",
  [Status.OUT_OF_RANGE]: "out_of_range",
  [Status.UNIMPLEMENTED]: "unimplemented",
  [Status.UNAVAILABLE]: "unavailable",
  [Status.UNAUTHENTICATED]: "unauthenticated",
};

/** The name of the gRPC code for failures of this kind. */
export function codeOf(kind: ErrorKind): string {
  return Status[codes[kind]];
}

const internalText = "The registry could not do this because of a fault of its own; the operator's log has the cause";

/** What may leave a service: a known error as it is, without its cause, anything else as a fixed text. */
export function toRegistryError(error: unknown): RegistryError {
  if (isRegistryError(error)) {
    const { kind, reason, message, fields, retryAfterSeconds } = error;
    return new RegistryError(kind, reason, message, {
      fields,
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    });
  }
  if (error instanceof Error && error.name === "AbortError") {
    return new RegistryError("cancelled", "CANCELLED", "The call was given up by its caller");
  }
  if (error instanceof Error && error.name === "TimeoutError") return deadlineExceeded();
  return new RegistryError("internal", "INTERNAL", internalText);
}

export function deadlineExceeded(): RegistryError {
  return new RegistryError("deadline_exceeded", "DEADLINE_EXCEEDED", "The answer did not come in time; try again");
}

export function toServerError(error: RegistryError): ServerError {
  const details = [
    ErrorInfo.fromPartial({ reason: error.reason, domain: errorDomain, metadata: { kind: error.kind } }),
    ...(error.fields.length === 0
      ? []
      : [
          BadRequest.fromPartial({
            fieldViolations: error.fields.map(({ pointer, reason }) => ({ field: pointer, description: reason })),
          }),
        ]),
    ...(error.retryAfterSeconds === undefined
      ? []
      : [RetryInfo.fromPartial({ retryDelay: { seconds: error.retryAfterSeconds } })]),
  ];
  return new RichServerError(codes[error.kind], error.message, details);
}

function isKind(text: string | undefined): text is ErrorKind {
  return (errorKinds as readonly string[]).includes(text ?? "");
}

/** What a remote call failed with. */
export function fromClientError(error: unknown): unknown {
  if (!(error instanceof ClientError)) return error;
  const extra = error instanceof RichClientError ? error.extra : [];
  const info = extra.find((detail) => detail.$type === ErrorInfo.$type) as ErrorInfo | undefined;
  const bad = extra.find((detail) => detail.$type === BadRequest.$type) as BadRequest | undefined;
  const retry = extra.find((detail) => detail.$type === RetryInfo.$type) as RetryInfo | undefined;
  if (info?.domain === errorDomain && isKind(info.metadata.kind)) {
    return new RegistryError(info.metadata.kind, info.reason, error.details, {
      fields: (bad?.fieldViolations ?? []).map((v) => ({ pointer: v.field, reason: v.description })),
      ...(retry?.retryDelay === undefined ? {} : { retryAfterSeconds: Number(retry.retryDelay.seconds) }),
    });
  }
  const kind = kinds[error.code];
  if (kind === "unavailable") {
    return new RegistryError(
      "unavailable",
      "UNAVAILABLE",
      "A service of the registry is away; try again in a few seconds",
      {
        retryAfterSeconds: 2,
        cause: error,
      },
    );
  }
  if (kind === "deadline_exceeded") return deadlineExceeded();
  if (kind === undefined) return new RegistryError("internal", "INTERNAL", internalText, { cause: error });
  return new RegistryError(kind, kind.toUpperCase(), error.details, { cause: error });
}
