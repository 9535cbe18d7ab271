import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { type handleUnaryCall, Server, ServerCredentials, type StatusObject, status } from "@grpc/grpc-js";
import * as conventions from "@opentelemetry/semantic-conventions/incubating";
import { RegistryError } from "@registry/domain";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Receiver, startReceiver } from "../../../../test/otlp/receiver.ts";
import { inspectSettings } from "../config/read.ts";
import { createLogger } from "../log.ts";
import { attribute } from "./attributes.ts";
import { inTrace } from "./context.ts";
import { openTracing } from "./open.ts";
import { telemetrySettings } from "./settings.ts";
import { noTracing, type Tracing, traced } from "./tracing.ts";

let collector: Receiver;
let lines: { level: string; msg: string; reason?: string; trace_id?: string }[];
const opened: Tracing[] = [];

beforeEach(async () => {
  collector = await startReceiver();
  lines = [];
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((tracing) => tracing.close()));
  await collector.close();
});

const log = createLogger("debug", {}, [], {
  write: (text) =>
    void lines.push(
      ...text
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ),
});

async function open(settings: Record<string, string> = {}, secrets: string[] = []): Promise<Tracing> {
  const values = {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
    OTEL_BSP_SCHEDULE_DELAY: "20",
    OTEL_EXPORTER_OTLP_TIMEOUT: "200",
    ...settings,
  };
  const read = inspectSettings(telemetrySettings, { values: new Map(Object.entries(values)), fromFile: new Set() });
  expect(read.problems).toEqual([]);
  const about = { log, serviceName: "agenticraft-registry", version: "1.2.3", instance: "one" };
  const tracing = await openTracing(read.settings, { ...about, secrets });
  opened.push(tracing);
  return tracing;
}

const request = { name: "GET /", kind: "server", root: true } as const;

it.each(["http/protobuf", "http/json"])(
  "sends a trace by %s, with what its process is and the headers",
  async (protocol) => {
    const tracing = await open({
      OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
      OTEL_EXPORTER_OTLP_HEADERS: "api-key=a%20key",
      OTEL_SERVICE_NAME: "plugins",
      OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=staging,service.name=other",
    });
    await traced(tracing, request, async (root) => {
      root?.set({ [attribute.httpStatus]: 200 });
      await traced(tracing, { name: "find things", kind: "client" }, async () => undefined);
    });
    await vi.waitFor(() => expect(collector.spans).toHaveLength(2));
    const [child, root] = collector.spans;
    expect(root).toMatchObject({ kind: "SERVER", name: "GET /", parentSpanId: "", status: "UNSET" });
    expect(root?.attributes).toEqual({ "http.response.status_code": 200 });
    expect(child).toMatchObject({ kind: "CLIENT", traceId: root?.traceId, parentSpanId: root?.spanId });
    expect(root?.resource).toEqual({
      "service.name": "plugins",
      "service.version": "1.2.3",
      "service.instance.id": "one",
      "telemetry.sdk.language": "nodejs",
      "telemetry.sdk.name": "opentelemetry",
      "telemetry.sdk.version": expect.any(String),
      "deployment.environment.name": "staging",
    });
    expect(collector.headers[0]).toMatchObject({ "api-key": "a key" });
  },
);

it("records nothing that nobody asked for, nor what goes on after its request has ended", async () => {
  const tracing = await open();
  expect(tracing.begin({ name: "find things", kind: "client" })).toBeUndefined();
  const ended = tracing.begin(request);
  ended?.end();
  inTrace(ended, () => expect(tracing.begin({ name: "find things", kind: "client" })).toBeUndefined());
});

it("does as the sampler says, and as whoever called has decided", async () => {
  const remote = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331" };
  const flagsOf = async (sampler: string, flags?: number, arg = "1"): Promise<number | undefined> => {
    const tracing = await open({ OTEL_TRACES_SAMPLER: sampler, OTEL_TRACES_SAMPLER_ARG: arg });
    const parent = flags === undefined ? undefined : { ...remote, flags };
    return (tracing.begin({ ...request, parent })?.flags ?? 0) & 1;
  };
  expect(await flagsOf("parentbased_always_on")).toBe(1);
  expect(await flagsOf("parentbased_always_on", 0)).toBe(0);
  expect(await flagsOf("parentbased_always_off")).toBe(0);
  expect(await flagsOf("parentbased_always_off", 1)).toBe(1);
  expect(await flagsOf("parentbased_traceidratio", undefined, "0")).toBe(0);
  expect(await flagsOf("traceidratio", 1, "0")).toBe(0);
  expect(await flagsOf("always_on", 0)).toBe(1);
  expect(await flagsOf("always_off", 1)).toBe(0);
});

it("lets no secret out: not in names, attributes, errors or the resource, nor half of one that was cut", async () => {
  const secret = 'a "quoted" secret+/=';
  const token = `acr_${"k3yOfSomebody-".repeat(4)}`;
  const tracing = await open({ OTEL_RESOURCE_ATTRIBUTES: `team=${encodeURIComponent(secret)}` }, [secret]);
  const failing = traced(tracing, { ...request, name: `GET ${token}` }, async (span) => {
    span?.set({ "a.url": "mongodb://u:hidden-word@db/x", "a.long": `${"x".repeat(1019)} ${token}`, "a.count": 7 });
    const cause = new Error(`nats://u:hidden-word@nats refused ${token}`);
    throw Object.assign(new Error(`cannot reach mongodb://u:hidden-word@db with ${secret}`, { cause }), { secret });
  });
  await expect(failing).rejects.toThrow("cannot reach");
  await vi.waitFor(() => expect(collector.spans).toHaveLength(1));
  expect(collector.spans[0]).toMatchObject({
    name: "GET [secret]",
    status: "ERROR",
    statusMessage: "cannot reach mongodb://[secret]@db with [secret]",
    attributes: { "error.type": "Error", "a.url": "mongodb://[secret]@db/x", "a.count": 7 },
    resource: { team: "[secret]" },
    events: [{ name: "exception", attributes: { "exception.type": "Error" } }],
  });
  for (const word of ["hidden-word", "quoted", "k3yOf", "acr_"]) {
    expect(collector.bytes().includes(word), word).toBe(false);
  }
});

it("names an error of the registry by its reason, and tells no refusal's text, which quotes what was asked for", async () => {
  const tracing = await open();
  const failWith = async (error: RegistryError): Promise<void> =>
    expect(traced(tracing, request, () => Promise.reject(error))).rejects.toBe(error);
  await failWith(new RegistryError("unavailable", "STORE_AWAY", "The store is away"));
  await failWith(new RegistryError("invalid_argument", "INVALID_NAME", '"hidden-word" is no name'));
  await vi.waitFor(() => expect(collector.spans).toHaveLength(2));
  const [fault, refusal] = collector.spans;
  expect(fault).toMatchObject({
    ...{ status: "ERROR", statusMessage: "The store is away", attributes: { "error.type": "STORE_AWAY" } },
    events: [{ attributes: { "exception.type": "STORE_AWAY", "exception.message": "The store is away" } }],
  });
  expect(refusal).toMatchObject({ status: "ERROR", statusMessage: "", events: [] });
  expect(refusal?.attributes).toMatchObject({ "error.type": "INVALID_NAME" });
  expect(collector.bytes().includes("hidden-word")).toBe(false);
});

it("tells of an outage of the collector once, and of its end", async () => {
  const tracing = await open();
  const told = (level: string) => lines.filter((line) => line.level === level);
  collector.answerWith(400);
  for (let round = 1; round <= 3; round++) {
    const before = collector.headers.length;
    await traced(tracing, request, async () => undefined);
    await vi.waitFor(() => expect(collector.headers.length).toBeGreaterThan(before));
  }
  await vi.waitFor(() => expect(told("warn")).toHaveLength(1));
  expect(told("warn")[0]?.trace_id).toBeUndefined();
  collector.answerWith(200);
  await traced(tracing, request, async () => undefined);
  await vi.waitFor(() => expect(told("info")).toHaveLength(1));
  expect(told("warn")).toHaveLength(1);
});

it("sends what is left when it is closed, and waits for no collector that hangs", async () => {
  const tracing = await open({ OTEL_BSP_SCHEDULE_DELAY: "60000" });
  await traced(tracing, request, async () => undefined);
  await tracing.close();
  expect(collector.spans).toHaveLength(1);
  collector.answerWith(undefined);
  const other = await open({ OTEL_BSP_SCHEDULE_DELAY: "60000", OTEL_EXPORTER_OTLP_TIMEOUT: "600000" });
  await traced(other, request, async () => undefined);
  await other.close();
  expect(collector.headers).toHaveLength(2);
}, 20_000);

describe("a collector that speaks gRPC", () => {
  const plain = (bytes: Buffer): Buffer => bytes;
  let server: Server;
  let endpoint: string;
  let answer: Partial<StatusObject> | undefined;
  let keys: unknown[];

  /** Hands on what it is told. */
  const Export = {
    path: "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    ...{ requestStream: false, responseStream: false, requestSerialize: plain, responseSerialize: plain },
    ...{ requestDeserialize: plain, responseDeserialize: plain },
  };
  beforeEach(async () => {
    answer = undefined;
    keys = [];
    server = new Server();
    const take: handleUnaryCall<Buffer, Buffer> = async (call, done) => {
      keys.push(...call.metadata.get("api-key"));
      if (answer !== undefined) return done(answer);
      const headers = { "content-type": "application/x-protobuf" };
      await fetch(`${collector.endpoint}/v1/traces`, { method: "POST", headers, body: new Uint8Array(call.request) });
      done(null, Buffer.alloc(0));
    };
    server.addService({ Export }, { Export: take });
    const insecure = ServerCredentials.createInsecure();
    const port = await promisify(server.bindAsync.bind(server))("127.0.0.1:0", insecure);
    endpoint = `http://127.0.0.1:${port}`;
  });
  afterEach(() => server.forceShutdown());

  const speaking = {
    OTEL_EXPORTER_OTLP_PROTOCOL: "grpc",
    OTEL_EXPORTER_OTLP_HEADERS: "api-key=a%20key,odd!=1,x-bin=1",
  };
  it("is told the same, with the headers", async () => {
    const tracing = await open({ ...speaking, OTEL_EXPORTER_OTLP_ENDPOINT: endpoint });
    await traced(tracing, request, async () => undefined);
    await vi.waitFor(() => expect(collector.spans).toMatchObject([{ name: "GET /", kind: "SERVER" }]));
    expect(keys).toEqual(["a key"]);
  });

  it("is told again what it could not take, but not what it refuses", async () => {
    const slow = { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_EXPORTER_OTLP_TIMEOUT: "20000" };
    const tracing = await open({ ...speaking, ...slow });
    answer = { code: status.INVALID_ARGUMENT, details: "no" };
    await traced(tracing, request, async () => undefined);
    await vi.waitFor(() => expect(lines.filter(({ level }) => level === "warn")).toHaveLength(1));
    answer = { code: status.UNAVAILABLE, details: "later" };
    await traced(tracing, { ...request, name: "GET /again" }, async () => undefined);
    await vi.waitFor(() => expect(keys).toHaveLength(2));
    answer = undefined;
    await vi.waitFor(() => expect(collector.spans).toMatchObject([{ name: "GET /again" }]));
  });

  it("is not waited for where it is away or hangs", async () => {
    const long = { OTEL_EXPORTER_OTLP_TIMEOUT: "600000", OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1" };
    const tracing = await open({ ...speaking, ...long });
    await traced(tracing, request, async () => undefined);
    await tracing.close();
  }, 20_000);
});

it("queues so much and no more while the collector hangs, and goes on", async () => {
  const tracing = await open({ OTEL_EXPORTER_OTLP_TIMEOUT: "600000" });
  collector.answerWith(undefined);
  for (let i = 0; i < 20_000; i++) await traced(tracing, request, async () => undefined);
  await vi.waitFor(() => expect(collector.headers.length).toBeGreaterThan(0));
  expect(collector.bytes().length).toBeLessThan(2 * 1024 * 1024);
});

it("is nothing at all where no collector is named: not a line of OpenTelemetry is loaded", async () => {
  expect(await open({ OTEL_EXPORTER_OTLP_ENDPOINT: "" })).toBe(noTracing);
  const program = join(import.meta.dirname, "../../../cli/src/serve.ts");
  // The library of the metrics has its own use for the API.
  const script = `
    import { registerHooks } from "node:module";
    const ours = (from) => from !== undefined && !from.includes("/prom-client/");
    const resolve = (name, context, next) => {
      if (name.startsWith("@opentelemetry/") && ours(context.parentURL)) console.log(name);
      return next(name, context);
    };
    registerHooks({ resolve });
    await import(${JSON.stringify(program)});
    console.log("loaded");`;
  expect(execFileSync(process.execPath, ["--input-type=module", "-e", script]).toString()).toBe("loaded\n");
});

it("uses the names of OpenTelemetry's semantic conventions", () => {
  const known = new Set<unknown>(Object.values(conventions));
  for (const name of Object.values(attribute)) expect(known.has(name), name).toBe(true);
});
