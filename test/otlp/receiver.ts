import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import protobuf from "protobufjs";
import { captureOutput } from "../secrets/record.ts";

const root = protobuf.loadSync(join(import.meta.dirname, "trace.proto"));
const Request = root.lookupType("otlp.ExportTraceServiceRequest");
const Response = root.lookupType("otlp.ExportTraceServiceResponse");

/** A span as a collector has it. */
export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for the root. */
  readonly parentSpanId: string;
  readonly name: string;
  readonly kind: "SERVER" | "CLIENT" | "PRODUCER" | "CONSUMER";
  readonly status: "UNSET" | "OK" | "ERROR";
  readonly statusMessage: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly events: readonly { readonly name: string; readonly attributes: Readonly<Record<string, unknown>> }[];
  /** `service.name` and the other attributes of its process. */
  readonly resource: Readonly<Record<string, unknown>>;
}

/** A collector of traces: OTLP over HTTP, protobuf and JSON, as its specification says. */
export interface Receiver {
  /** For `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  readonly endpoint: string;
  readonly spans: readonly ReceivedSpan[];
  /** Headers of every export. */
  readonly headers: readonly IncomingMessage["headers"][];
  /** Every byte that came. */
  bytes(): Buffer;
  /** From now on exports are answered with this status; undefined: they get no answer. Default 200. */
  answerWith(status: number | undefined): void;
  close(): Promise<void>;
}

/** @param port where it has been before; any free one by default */
export async function startReceiver(port = 0): Promise<Receiver> {
  const spans: ReceivedSpan[] = [];
  const bodies: Buffer[] = [];
  const headers: IncomingMessage["headers"][] = [];
  const capture = captureOutput("otlp");
  let status: number | undefined = 200;
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray());
    bodies.push(body);
    headers.push(request.headers);
    capture(`${body.toString("latin1")}\n`);
    if (status === undefined) return;
    if (request.method !== "POST" || request.url !== "/v1/traces") return response.writeHead(404).end();
    if (status !== 200) return response.writeHead(status).end();
    const type = request.headers["content-type"] ?? "";
    spans.push(...spansIn(type === "application/json" ? JSON.parse(body.toString()) : decode(body)));
    const answer = type === "application/json" ? "{}" : Response.encode({}).finish();
    response.writeHead(200, { "content-type": type }).end(answer);
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    headers,
    bytes: () => Buffer.concat(bodies),
    answerWith(next) {
      status = next;
    },
    close: () => closeServer(server),
  };
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

interface Pair {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}
interface Wire {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Pair[] };
    readonly scopeSpans: readonly { readonly spans: readonly WireSpan[] }[];
  }[];
}
interface WireSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number | string;
  readonly status?: { readonly code?: number | string; readonly message?: string };
  readonly attributes?: readonly Pair[];
  readonly events?: readonly { readonly name: string; readonly attributes?: readonly Pair[] }[];
}

/** @throws where the bytes are no request */
function decode(body: Buffer): Wire {
  const message = Request.toObject(Request.decode(body), {
    longs: Number,
    bytes: Buffer,
    defaults: true,
    arrays: true,
  });
  // Ids are hexadecimal in JSON, against the usual rule; so they are from here on.
  return JSON.parse(
    JSON.stringify(message, (_, value: unknown) => (isBytes(value) ? Buffer.from(value.data).toString("hex") : value)),
  ) as Wire;
}

function isBytes(value: unknown): value is { readonly data: number[] } {
  return typeof value === "object" && value !== null && "type" in value && value.type === "Buffer";
}

function spansIn({ resourceSpans }: Wire): ReceivedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const about = valuesOf(resource.attributes);
    return scopeSpans.flatMap(({ spans }) => spans.map((span) => spanOf(span, about)));
  });
}

const kinds = ["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"];
const codes = ["UNSET", "OK", "ERROR"];

function spanOf(span: WireSpan, resource: ReceivedSpan["resource"]): ReceivedSpan {
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    parentSpanId: span.parentSpanId ?? "",
    name: span.name,
    kind: kinds[Number(span.kind)] as ReceivedSpan["kind"],
    status: codes[Number(span.status?.code ?? 0)] as ReceivedSpan["status"],
    statusMessage: span.status?.message ?? "",
    attributes: valuesOf(span.attributes),
    events: (span.events ?? []).map((event) => ({ name: event.name, attributes: valuesOf(event.attributes) })),
    resource,
  };
}

function valuesOf(pairs: readonly Pair[] = []): Record<string, unknown> {
  return Object.fromEntries(pairs.map(({ key, value }) => [key, Object.values(value)[0]]));
}
