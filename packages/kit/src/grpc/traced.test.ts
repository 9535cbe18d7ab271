import { Client, credentials, Metadata } from "@grpc/grpc-js";
import { StorageServiceDefinition } from "@registry/contracts/storage";
import { RegistryError } from "@registry/domain";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { type ReceivedSpan, type Receiver, startReceiver } from "../../../../test/otlp/receiver.ts";
import { edgesOf } from "../../../../test/otlp/tree.ts";
import { createLogger } from "../log.ts";
import { activeTraceparent, inTrace, parseTraceparent } from "../telemetry/context.ts";
import { openTracing } from "../telemetry/open.ts";
import { telemetrySettings } from "../telemetry/settings.ts";
import { noTracing, type Tracing, traced } from "../telemetry/tracing.ts";
import { createTestSurroundings, type TestSurroundings } from "../testing.ts";
import { Clients } from "./clients.ts";
import { type GrpcServer, startGrpcServer } from "./server.ts";
import { anyone, defineService, type ServiceClient } from "./table.ts";
import { tracedCalls } from "./traced.ts";

const name = StorageServiceDefinition.fullName;
/** What the handlers ran for, as they saw it. */
const ranFor: (string | undefined)[] = [];
const refuse = async (): Promise<never> => {
  throw new RegistryError("unimplemented", "UNIMPLEMENTED", "Not part of this test");
};

const table = defineService(StorageServiceDefinition, {
  uploadPackage: {
    allow: anyone,
    handle: async (parts) => {
      for await (const _ of parts) ranFor.push(activeTraceparent());
      return { upload: { id: "u" } };
    },
  },
  getUpload: {
    allow: anyone,
    handle: async ({ uploadId }) => {
      ranFor.push(activeTraceparent());
      if (uploadId === "none") throw new RegistryError("not_found", "UPLOAD_NOT_FOUND", "Upload not found");
      if (uploadId === "bug") throw new TypeError("the password is hunter2");
      return { upload: { id: uploadId } };
    },
  },
  readBlob: {
    allow: anyone,
    handle: async function* ({ length }) {
      for (let i = 0; i < length; i++) {
        ranFor.push(activeTraceparent());
        yield { part: { $case: "chunk" as const, value: new Uint8Array([i]) } };
      }
      if (length === 3) throw new RegistryError("out_of_range", "END", "No more");
    },
  },
  readPackageFile: { allow: anyone, handle: async function* () {} },
  commitUpload: { allow: anyone, handle: refuse },
  abortUpload: { allow: anyone, handle: refuse },
  runPackageTests: { allow: anyone, handle: refuse },
  presignBlob: { allow: anyone, handle: refuse },
  collectGarbage: { allow: anyone, handle: refuse },
  check: { allow: anyone, handle: refuse },
});

interface Shape {
  readonly around: TestSurroundings;
  readonly server: GrpcServer;
  readonly client: ServiceClient<typeof StorageServiceDefinition>;
  close(): Promise<void>;
}

async function start(tracing: Tracing, how: string): Promise<Shape> {
  const around = createTestSurroundings({ service: "catalog", tracing });
  around.host(table);
  const server = await startGrpcServer([table], tracedCalls(around.pipeline, tracing), { host: "127.0.0.1", port: 0 });
  const addresses = new Map([[name, `127.0.0.1:${server.port}`]]);
  const remote = new Clients({ ...around, addresses }, "catalog");
  const clients = how === "in one process" ? around.clients : remote;
  const close = async (): Promise<void> => {
    remote.close();
    around.close();
    await server.close(1000);
  };
  return { around, server, client: clients.of(StorageServiceDefinition), close };
}

async function collect<T>(stream: AsyncIterable<T>, most = 100): Promise<T[]> {
  const all: T[] = [];
  for await (const each of stream) if (all.push(each) >= most) break;
  return all;
}

describe.each(["in one process", "over the wire"])("a traced call %s", (how) => {
  let collector: Receiver;
  let tracing: Tracing;
  let shape: Shape;

  beforeAll(async () => {
    collector = await startReceiver();
    const defaults = Object.fromEntries(
      Object.entries(telemetrySettings).map(([key, { fallback }]) => [key, fallback]),
    );
    const settings = { ...defaults, OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint, OTEL_BSP_SCHEDULE_DELAY: 20 };
    const about = { log: createLogger("silent"), serviceName: "test", version: "1", instance: "1", secrets: [] };
    tracing = await openTracing(settings as never, about);
    shape = await start(tracing, how);
  });
  afterAll(async () => {
    await shape.close();
    await tracing.close();
    await collector.close();
  });
  beforeEach(() => {
    ranFor.length = 0;
  });

  /** The spans of what the work does, once its root is there. */
  async function spansOf(work: () => Promise<unknown>): Promise<ReceivedSpan[]> {
    let traceId = "";
    await traced(tracing, { name: "root", kind: "server", root: true }, async (root) => {
      traceId = root?.traceId ?? "";
      await work().catch(() => undefined);
    });
    const spans = () => collector.spans.filter((span) => span.traceId === traceId);
    await vi.waitFor(() => {
      expect(spans().some((span) => span.name === "root")).toBe(true);
      expect(edgesOf(spans()).filter((edge) => edge.endsWith("somebody else"))).toEqual([]);
      expect(spans().filter(({ kind }) => kind === "CLIENT")).toHaveLength(
        spans().filter(({ kind }) => kind === "SERVER").length - 1,
      );
    });
    return spans();
  }
  const rpc = (spans: readonly ReceivedSpan[], kind: ReceivedSpan["kind"]) =>
    spans.find((span) => span.kind === kind && span.name.startsWith(name));

  it("is a span at either end, and the handler runs for the server's", async () => {
    const spans = await spansOf(() => shape.client.getUpload({ uploadId: "u" }));
    const [client, server] = [rpc(spans, "CLIENT"), rpc(spans, "SERVER")];
    expect(edgesOf(spans)).toEqual(
      expect.arrayContaining([
        `client ${name}/GetUpload < server root`,
        `server ${name}/GetUpload < client ${name}/GetUpload`,
      ]),
    );
    const common = { "rpc.system.name": "grpc", "rpc.method": `${name}/GetUpload`, "rpc.status_code": "OK" };
    expect(client?.attributes).toEqual(common);
    expect(server?.attributes).toMatchObject(common);
    expect(ranFor).toEqual([`00-${server?.traceId}-${server?.spanId}-01`]);
  });

  it("that the caller is to blame for failed for the client alone", async () => {
    const spans = await spansOf(() => shape.client.getUpload({ uploadId: "none" }));
    const expected = { "rpc.status_code": "NOT_FOUND", "error.type": "UPLOAD_NOT_FOUND" };
    expect(rpc(spans, "CLIENT")).toMatchObject({ status: "ERROR", attributes: expected });
    expect(rpc(spans, "SERVER")).toMatchObject({ status: "UNSET", attributes: { "rpc.status_code": "NOT_FOUND" } });
  });

  it("that failed by a bug says so at both ends, and not what the bug said", async () => {
    const spans = await spansOf(() => shape.client.getUpload({ uploadId: "bug" }));
    for (const kind of ["CLIENT", "SERVER"] as const) {
      expect(rpc(spans, kind)).toMatchObject({ status: "ERROR", attributes: { "rpc.status_code": "INTERNAL" } });
    }
    expect(collector.bytes().includes("hunter2")).toBe(false);
  });

  it("that streams is one span to the end of the stream, each part of it made for the server's", async () => {
    const spans = await spansOf(() => collect(shape.client.readBlob({ length: 4 })));
    const server = rpc(spans, "SERVER");
    expect(server?.attributes).toMatchObject({ "rpc.status_code": "OK" });
    expect(ranFor).toEqual(Array(4).fill(`00-${server?.traceId}-${server?.spanId}-01`));
  });

  it("that streams and fails, or is given up, ends so", async () => {
    const failed = await spansOf(() => collect(shape.client.readBlob({ length: 3 })));
    expect(rpc(failed, "CLIENT")).toMatchObject({ status: "ERROR", attributes: { "error.type": "END" } });
    const left = await spansOf(() => collect(shape.client.readBlob({ length: 1000 }), 2));
    expect(rpc(left, "CLIENT")?.attributes).toMatchObject({ "rpc.status_code": "CANCELLED" });
  });

  it("that takes a stream runs for the server's span, too", async () => {
    async function* parts() {
      yield { part: { $case: "chunk" as const, value: new Uint8Array(1) } };
      yield { part: { $case: "chunk" as const, value: new Uint8Array(2) } };
    }
    const spans = await spansOf(() => shape.client.uploadPackage(parts()));
    const server = rpc(spans, "SERVER");
    expect(ranFor).toEqual(Array(2).fill(`00-${server?.traceId}-${server?.spanId}-01`));
  });

  it("of the registry's own, which nobody asked for, is none", async () => {
    const before = collector.spans.length;
    await shape.client.getUpload({ uploadId: "u" }, { as: "service" });
    expect(ranFor).toEqual([undefined]);
    await spansOf(async () => undefined);
    expect(collector.spans.length - before).toBe(1);
  });

  it("from a program outside begins a trace, or goes on with its own", async () => {
    const { requestType, responseType } = StorageServiceDefinition.methods.getUpload;
    const client = new Client(`127.0.0.1:${shape.server.port}`, credentials.createInsecure());
    const call = (metadata: Metadata) =>
      new Promise((resolve, reject) => {
        const encode = (request: never) => Buffer.from(requestType.encode(request).finish());
        const request = requestType.fromPartial({ uploadId: "u" }) as never;
        const done = (error: unknown, answer: unknown) => (error === null ? resolve(answer) : reject(error));
        client.makeUnaryRequest(
          `/${name}/GetUpload`,
          encode,
          (bytes) => responseType.decode(bytes),
          request,
          metadata,
          done,
        );
      });
    const theirs = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const metadata = new Metadata();
    metadata.set("traceparent", theirs);
    await call(metadata);
    await call(new Metadata());
    client.close();
    const [first, second] = ranFor.map(parseTraceparent);
    expect(first?.traceId).toBe(parseTraceparent(theirs)?.traceId);
    expect(second?.traceId).not.toBe(first?.traceId);
    await vi.waitFor(() => {
      expect(collector.spans.find(({ spanId }) => spanId === first?.spanId)?.parentSpanId).toBe("b7ad6b7169203331");
      expect(collector.spans.find(({ spanId }) => spanId === second?.spanId)?.parentSpanId).toBe("");
    });
  });
});

it.each(["in one process", "over the wire"])("hands another's trace on %s where none is recorded", async (how) => {
  const shape = await start(noTracing, how);
  ranFor.length = 0;
  const theirs = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  await inTrace(parseTraceparent(theirs), () => shape.client.getUpload({ uploadId: "u" }));
  await inTrace(parseTraceparent(theirs), () => collect(shape.client.readBlob({ length: 1 })));
  expect(ranFor).toEqual([theirs, theirs]);
  await shape.close();
});
