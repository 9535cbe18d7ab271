import { randomBytes } from "node:crypto";
import { afterAll, beforeEach, describe, expect, it, vi } from "vitest";
import { pluginZip } from "../builders/plugin.ts";
import { type ReceivedSpan, startReceiver } from "../otlp/receiver.ts";
import { drawTrace, edgesOf } from "../otlp/tree.ts";
import { formsOf } from "../secrets/forms.ts";
import { registerSecret } from "../secrets/record.ts";
import { missingFor, type StackKind } from "../stack/index.ts";
import { createWorld, password } from "./world.ts";

const storage = "registry.storage.v1.StorageService";
const catalog = "registry.catalog.v1.CatalogService";
const published = "registry.catalog.release.published";

/** What a publish cannot do without, each with what it is done for. */
const publishing = [
  "server POST /api/v1/plugins < somebody else",
  `client ${storage}/UploadPackage < server POST /api/v1/plugins`,
  `server ${storage}/UploadPackage < client ${storage}/UploadPackage`,
  `client putFile staging < server ${storage}/UploadPackage`,
  `client insertOne uploads < server ${storage}/UploadPackage`,
  `client ${catalog}/PublishRelease < server POST /api/v1/plugins`,
  `server ${catalog}/PublishRelease < client ${catalog}/PublishRelease`,
  `client insertOne plugins < server ${catalog}/PublishRelease`,
  `client insertOne releases < server ${catalog}/PublishRelease`,
  `client ${storage}/CommitUpload < server ${catalog}/PublishRelease`,
  `server ${storage}/CommitUpload < client ${storage}/CommitUpload`,
  `client move blobs < server ${storage}/CommitUpload`,
  `client updateOne releases < server ${catalog}/PublishRelease`,
  `producer publish ${published} < server ${catalog}/PublishRelease`,
  `consumer process ${published} < producer publish ${published}`,
  `client insertNew publishes < consumer process ${published}`,
];

describe.each(["embedded", "five"] as const)("traces of a registry, %s", async (kind: StackKind) => {
  const collector = await startReceiver();
  const collectorKey = randomBytes(24).toString("hex");
  registerSecret("collector key", collectorKey);
  afterAll(() => collector.close());
  const spansOf = (traceId: string): ReceivedSpan[] => collector.spans.filter((span) => span.traceId === traceId);
  /** A trace that a client has begun. */
  const begun = () => {
    const [traceId, spanId] = [randomBytes(16).toString("hex"), randomBytes(8).toString("hex")];
    return { traceId, spanId, headers: { traceparent: `00-${traceId}-${spanId}-01` } };
  };

  describe.skipIf(missingFor(kind))("with a collector", () => {
    const world = createWorld(kind, {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
      OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer%20${collectorKey}`,
      OTEL_BSP_SCHEDULE_DELAY: "100",
      LOG_LEVEL: "debug",
    });
    beforeEach(() => collector.answerWith(200));

    it("show a publish in one picture, from the gateway to the last consumer", async () => {
      const publisher = await world.publisher();
      const trace = begun();
      const answer = await publisher.publishes(pluginZip({ name: world.name("sextant") }), { headers: trace.headers });
      expect(answer.status).toBe(201);
      await vi.waitFor(() => {
        const edges = edgesOf(spansOf(trace.traceId));
        expect(edges, drawTrace(spansOf(trace.traceId))).toEqual(expect.arrayContaining(publishing));
        // Whatever else is told belongs below the one root, which belongs to the client.
        expect(edges.filter((edge) => /< (?:nobody|somebody else)$/.test(edge))).toEqual([publishing[0]]);
      });
      const spans = spansOf(trace.traceId);
      const root = spans.find(({ parentSpanId }) => parentSpanId === trace.spanId);
      expect(root?.attributes).toMatchObject({
        "http.request.method": "POST",
        "http.route": "/api/v1/plugins",
        "http.response.status_code": 201,
        "url.scheme": "http",
        "registry.request_id": answer.headers.get("x-request-id"),
      });
      expect(spans.filter(({ status }) => status === "ERROR").map(({ name }) => name)).toEqual([]);
      const process = (span: string) =>
        spans.find(({ name, kind: of }) => `${of} ${name}` === span)?.resource["service.name"];
      const alone = (service: string) => `agenticraft-registry${kind === "five" ? `-${service}` : ""}`;
      expect(process("SERVER POST /api/v1/plugins")).toBe(alone("gateway"));
      expect(process(`SERVER ${storage}/UploadPackage`)).toBe(alone("storage"));
      expect(process(`SERVER ${catalog}/PublishRelease`)).toBe(alone("catalog"));
      expect(process("CLIENT insertNew publishes")).toBe(alone("analytics"));
    });

    it("say of each part what it is, by the names of the conventions", async () => {
      const publisher = await world.publisher();
      const trace = begun();
      await publisher.publishes(pluginZip({ name: world.name("compass") }), { headers: trace.headers });
      const named = (name: string, of: ReceivedSpan["kind"]) =>
        spansOf(trace.traceId).find((span) => span.name === name && span.kind === of)?.attributes;
      const [system, bus, store] = kind === "five" ? ["mongodb", "nats", "s3"] : ["sqlite", "in-process", "files"];
      await vi.waitFor(() => expect(edgesOf(spansOf(trace.traceId))).toEqual(expect.arrayContaining(publishing)));
      expect(named("insertOne releases", "CLIENT")).toEqual({
        "db.system.name": system,
        "db.namespace": "catalog",
        "db.collection.name": "releases",
        "db.operation.name": "insertOne",
      });
      expect(named("putFile staging", "CLIENT")).toEqual({
        "registry.blob.store": store,
        "registry.blob.operation": "putFile",
        "registry.blob.folder": "staging",
        "registry.blob.size": expect.any(Number),
      });
      expect(named(`${catalog}/PublishRelease`, "CLIENT")).toEqual({
        "rpc.system.name": "grpc",
        "rpc.method": `${catalog}/PublishRelease`,
        "rpc.status_code": "OK",
      });
      const group = spansOf(trace.traceId).filter(({ kind: of }) => of === "CONSUMER");
      expect(group.map(({ attributes }) => attributes["messaging.consumer.group.name"])).toContain("analytics");
      expect(group[0]?.attributes).toMatchObject({
        "messaging.system.name": bus,
        "messaging.destination.name": published,
        "messaging.operation.type": "process",
      });
    });

    it("tell of what failed where it failed, and whose fault it was", async () => {
      const publisher = await world.publisher();
      const name = world.name("theodolite");
      await publisher.publishes(pluginZip({ name }));
      const trace = begun();
      const other = pluginZip({ name, description: "Other bytes under the same version" });
      expect((await publisher.publishes(other, { headers: trace.headers })).status).toBe(409);
      const told = (span: string) => spansOf(trace.traceId).find((each) => `${each.kind} ${each.name}` === span);
      await vi.waitFor(() => {
        expect(told("SERVER POST /api/v1/plugins")).toMatchObject({ status: "UNSET" });
        expect(told(`SERVER ${catalog}/PublishRelease`)).toMatchObject({ status: "UNSET" });
        expect(told(`CLIENT ${catalog}/PublishRelease`)).toBeDefined();
      });
      expect(told("SERVER POST /api/v1/plugins")?.attributes).toMatchObject({ "http.response.status_code": 409 });
      expect(told(`CLIENT ${catalog}/PublishRelease`)).toMatchObject({
        status: "ERROR",
        attributes: { "rpc.status_code": "ALREADY_EXISTS", "error.type": "RELEASE_EXISTS" },
      });
    });

    it("begin anew where a client's context is malformed, and are in the log by the same id", async () => {
      const bad = { traceparent: "00-not-a-context-01", "x-request-id": world.name("request") };
      await world.anonymous.request("GET", "/api/v1/plugins?query=hidden-in-the-query", { headers: bad });
      const line = await vi.waitFor(() => {
        const found = linesOf(world.stack.logs()).find((each) => each.request_id === bad["x-request-id"] && each.route);
        expect(found).toBeDefined();
        return found;
      });
      expect(line).toMatchObject({
        ...{ level: "info", msg: "request", service: "gateway", method: "GET", route: "/api/v1/plugins", status: 200 },
        ...{ user: "anonymous", client: "rest", bytes: expect.any(Number), duration_ms: expect.any(Number) },
      });
      await vi.waitFor(() => expect(spansOf(String(line?.trace_id))).not.toEqual([]));
      const root = spansOf(String(line?.trace_id)).find(({ parentSpanId }) => parentSpanId === "");
      expect(root).toMatchObject({ name: "GET /api/v1/plugins", spanId: line?.span_id });
    });

    it("go by the same ids through the logs of all that take part", async () => {
      const publisher = await world.publisher();
      const trace = begun();
      const answer = await publisher.publishes(pluginZip({ name: world.name("quadrant") }), { headers: trace.headers });
      const calls = (): unknown[] =>
        linesOf(world.stack.logs())
          .filter(({ msg, trace_id }) => msg === "call" && trace_id === trace.traceId)
          .filter(({ request_id }) => request_id === answer.headers.get("x-request-id"))
          .map(({ rpc }) => rpc);
      await vi.waitFor(() => {
        expect(calls()).toEqual(expect.arrayContaining([`${storage}/uploadPackage`, `${catalog}/publishRelease`]));
      });
    });

    it("hold no secret that was used, in no form and no byte, and the collector's key is in no log", async () => {
      const publisher = await world.publisher();
      const name = world.name("octant");
      await publisher.publishes(pluginZip({ name }), { fields: { visibility: "private" } });
      const { secret: token } = (await publisher.createsToken("ci")).json<{ secret: string }>();
      expect((await publisher.with(token).gets(`/api/v1/plugins/${name}`)).status).toBe(200);
      const { download_url: url } = (await publisher.gets(`/api/v1/plugins/${name}/download`)).json<{
        download_url: string;
      }>();
      await fetch(url, { redirect: "manual" });
      const wrong = `wrong-${randomBytes(8).toString("hex")}`;
      await world.anonymous.logsIn(publisher.username, wrong);
      const tries = ["/api/v1/plugins", `/api/v1/${token}`, `/api/v1/plugins/${token}`, `/t/${token}/registry.json`];
      for (const path of tries) await world.anonymous.gets(`${path}?access_token=${token}&q=${wrong}`);
      await world.anonymous.request("GET", "/", {
        headers: { "x-request-id": token.slice(0, 64), tracestate: `a=${wrong}` },
      });
      const last = begun();
      await world.anonymous.request("GET", "/api/v1/search", { headers: last.headers });
      await vi.waitFor(() => expect(spansOf(last.traceId)).not.toEqual([]));
      const ticket = new URL(url).searchParams.get("ticket") ?? new URL(url).searchParams.get("X-Amz-Signature");
      const secrets = [
        password,
        wrong,
        token,
        world.stack.adminToken,
        collectorKey,
        publisher.token ?? "",
        ticket ?? "",
      ];
      const settings = ["SECRET_KEY", "S3_SECRET_KEY"].flatMap((each) => world.stack.operatorSettings[each] ?? []);
      const [bytes, logs] = [collector.bytes().toString("latin1"), world.stack.logs()];
      expect(bytes.length).toBeGreaterThan(10_000);
      for (const secret of [...secrets, ...settings]) {
        expect(secret.length).toBeGreaterThan(11);
        for (const form of formsOf(secret)) expect([form, bytes.includes(form)]).toEqual([form, false]);
        for (const form of formsOf(secret)) expect([form, logs.includes(form)]).toEqual([form, false]);
      }
      expect(collector.headers.every(({ authorization }) => authorization === `Bearer ${collectorKey}`)).toBe(true);
    });

    it("are of what somebody asked for: nothing that the registry does by itself begins one", async () => {
      await vi.waitFor(() => {
        expect(collector.spans.length).toBeGreaterThan(100);
        const ids = new Set(collector.spans.map(({ spanId }) => spanId));
        const roots = collector.spans.filter(({ parentSpanId }) => !ids.has(parentSpanId));
        const asked = /^SERVER (?:GET|POST|PUT|PATCH|DELETE)\b/;
        expect(roots.map(({ kind: of, name }) => `${of} ${name}`).filter((root) => !asked.test(root))).toEqual([]);
      });
      const noise = /WatchChanges|WatchHead|GET \/(?:health|ready|metrics)$/;
      expect(collector.spans.filter(({ name }) => noise.test(name))).toEqual([]);
    });

    it("cost no answer anything while the collector hangs, fails or is back", async () => {
      const publisher = await world.publisher();
      for (const status of [undefined, 503, 200]) {
        collector.answerWith(status);
        const name = world.name("astrolabe");
        expect((await publisher.publishes(pluginZip({ name }))).status).toBe(201);
        expect((await publisher.reads(name)).status).toBe(200);
      }
    });

    it("are sent to the last when the registry is stopped", async () => {
      const publisher = await world.publisher();
      const trace = begun();
      await publisher.publishes(pluginZip({ name: world.name("nocturnal") }), { headers: trace.headers });
      await world.stack.stop();
      expect(edgesOf(spansOf(trace.traceId))).toEqual(expect.arrayContaining(publishing.slice(0, -3)));
    });
  });
});

function linesOf(logs: string): Record<string, unknown>[] {
  return logs
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
