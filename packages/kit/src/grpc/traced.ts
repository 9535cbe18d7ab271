import { type ErrorKind, isRegistryError } from "@registry/domain";
import { attribute, ownAttribute } from "../telemetry/attributes.ts";
import { activeTraceparent, inTrace, parseTraceparent } from "../telemetry/context.ts";
import { type Span, type SpanStart, serverFaults, type Tracing } from "../telemetry/tracing.ts";
import { statusNameOf } from "./errors.ts";
import type { CallMeta, Calls } from "./pipeline.ts";
import type { ServiceDefinition, ServiceTable } from "./table.ts";
import { methodOf, type OutgoingMeta, type Transport } from "./transport.ts";

/** Calls of a handler as spans, whether they came over the wire or from within the process. */
export function tracedCalls(calls: Calls, tracing: Tracing): Calls {
  return {
    unary: (table, method, request, meta) =>
      tracedRpc(tracing, serverStart(table, method, meta), () => calls.unary(table, method, request, meta)),
    stream: (table, method, request, meta) =>
      tracedStream(tracing, serverStart(table, method, meta), () => calls.stream(table, method, request, meta)),
    endStreams: () => calls.endStreams(),
  };
}

function serverStart(table: ServiceTable, method: string, meta: CallMeta): SpanStart {
  const start = rpcStart(table.definition, method, "server");
  return {
    ...start,
    attributes: { ...start.attributes, ...(meta.requestId && { [ownAttribute.requestId]: meta.requestId }) },
    parent: parseTraceparent(meta.traceparent),
    // A process of ours that sends no trace does something for nobody in particular: polls, watches, sweeps.
    root: meta.serviceToken === undefined,
  };
}

function rpcStart(definition: ServiceDefinition, method: string, kind: "server" | "client"): SpanStart {
  const name = `${definition.fullName}/${definition.methods[method]?.name ?? method}`;
  return { name, kind, attributes: { [attribute.rpcSystem]: "grpc", [attribute.rpcMethod]: name } };
}

/** A transport whose calls are spans, and carry the trace on. */
export class TracedTransport implements Transport {
  readonly #definition: ServiceDefinition;
  readonly #transport: Transport;
  readonly #tracing: Tracing;

  constructor(definition: ServiceDefinition, transport: Transport, tracing: Tracing) {
    this.#definition = definition;
    this.#transport = transport;
    this.#tracing = tracing;
  }

  unary(method: string, request: unknown, meta: OutgoingMeta): Promise<unknown> {
    const send = (): Promise<unknown> => this.#transport.unary(method, request, withTrace(meta));
    return tracedRpc(this.#tracing, this.#start(method), send);
  }

  stream(method: string, request: unknown, meta: OutgoingMeta): AsyncIterable<unknown> {
    const send = (): AsyncIterable<unknown> => this.#transport.stream(method, request, withTrace(meta));
    return tracedStream(this.#tracing, this.#start(method), send);
  }

  close(): void {
    this.#transport.close();
  }

  #start(method: string): SpanStart {
    methodOf(this.#definition, method);
    return rpcStart(this.#definition, method, "client");
  }
}

function withTrace(meta: OutgoingMeta): OutgoingMeta {
  const traceparent = activeTraceparent();
  return traceparent === undefined ? meta : { ...meta, traceparent };
}

async function tracedRpc(tracing: Tracing, start: SpanStart, call: () => Promise<unknown>): Promise<unknown> {
  const span = tracing.begin(start);
  if (span === undefined) return inTrace(start.parent, call);
  try {
    const answer = await inTrace(span, call);
    span.set({ [attribute.rpcStatus]: "OK" });
    return answer;
  } catch (error) {
    conclude(span, start, error);
    throw error;
  } finally {
    span.end();
  }
}

async function* tracedStream(
  tracing: Tracing,
  start: SpanStart,
  open: () => AsyncIterable<unknown>,
): AsyncGenerator<unknown> {
  const span = tracing.begin(start);
  const trace = span ?? start.parent;
  // A generator runs for whoever asks for its next value: each time it has to be told what it runs for.
  const messages = inTrace(trace, () => open()[Symbol.asyncIterator]());
  let status = "CANCELLED";
  try {
    for (;;) {
      const next = await inTrace(trace, () => messages.next());
      if (next.done === true) break;
      yield next.value;
    }
    status = "OK";
  } catch (error) {
    if (span !== undefined) status = conclude(span, start, error);
    throw error;
  } finally {
    await inTrace(trace, () => messages.return?.());
    span?.set({ [attribute.rpcStatus]: status });
    span?.end();
  }
}

/** @returns the status that it ends with */
function conclude(span: Span, { kind }: SpanStart, error: unknown): string {
  const cause: ErrorKind = isRegistryError(error) ? error.kind : "internal";
  const status = statusNameOf(cause);
  span.set({ [attribute.rpcStatus]: status });
  if (kind === "client" || serverFaults.has(cause)) span.fail(error);
  return status;
}
