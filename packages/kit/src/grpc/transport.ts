import type { MethodDefinition, ServiceDefinition } from "./table.ts";

/** What a client sends beside its message. */
export interface OutgoingMeta {
  readonly authorization: string | undefined;
  /** Token of the service that makes the call, whoever it is made for. */
  readonly serviceToken: string | undefined;
  /** Where the original caller is. */
  readonly address: string | undefined;
  readonly requestId: string | undefined;
  /** W3C trace context of whom the call is made for. */
  readonly traceparent?: string | undefined;
  /** undefined: no deadline. */
  readonly timeoutMs: number | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Carries calls to one service, wherever it lives. Fails with `RegistryError` only. */
export interface Transport {
  unary(method: string, request: unknown, meta: OutgoingMeta): Promise<unknown>;
  stream(method: string, request: unknown, meta: OutgoingMeta): AsyncIterable<unknown>;
  close(): void;
}

export function methodOf(definition: ServiceDefinition, method: string): MethodDefinition {
  const found = definition.methods[method];
  if (found === undefined) throw new TypeError(`${definition.fullName} has no method ${method}`);
  return found;
}
