import { Client, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import { StorageServiceDefinition } from "@registry/contracts/storage";
import { notFound } from "@registry/domain";
import { afterAll, beforeAll, beforeEach, expect, it, vi } from "vitest";
import { createLogger } from "../log.ts";
import { createTestSurroundings, userCaller } from "../testing.ts";
import { ClientRules } from "./client-rules.ts";
import { Clients } from "./clients.ts";
import { Pipeline } from "./pipeline.ts";
import { type GrpcServer, startGrpcServer } from "./server.ts";
import { anyone, defineService, users } from "./table.ts";
import { tracedCalls } from "./traced.ts";

const unused = { allow: anyone, handle: () => Promise.reject(new Error("unused")) };
const table = defineService(StorageServiceDefinition, {
  uploadPackage: unused,
  getUpload: {
    allow: anyone,
    handle: async ({ uploadId }) => {
      if (uploadId === "absent") throw notFound("UPLOAD_NOT_FOUND", "Upload not found");
      return {};
    },
  },
  commitUpload: { allow: users, handle: async () => ({ sha256: "x" }) },
  abortUpload: unused,
  readBlob: {
    allow: anyone,
    handle: async function* (_request, { signal }) {
      yield { part: { $case: "chunk" as const, value: new Uint8Array(1) } };
      await new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    },
  },
  readPackageFile: { allow: anyone, handle: async function* () {} },
  runPackageTests: unused,
  presignBlob: unused,
  collectGarbage: unused,
  check: unused,
});

type Line = Record<string, unknown>;
const lines: Line[] = [];
const around = createTestSurroundings({ service: "catalog" });
const log = createLogger("info", {}, [], { write: (line) => void lines.push(JSON.parse(line)) });
const pipeline = new Pipeline({
  ...{ identity: around.identity, metrics: around.metrics, newId: around.ids.unique, log },
  ...{ clients: new ClientRules({ groups: new Map(), aliases: new Map() }), anonymousRead: true, logsRequests: true },
});
let server: GrpcServer;
let client: Client;

beforeAll(async () => {
  const at = { host: "127.0.0.1", port: 0 };
  server = await startGrpcServer([table], tracedCalls(pipeline, around.tracing), at);
  client = new Client(`127.0.0.1:${server.port}`, credentials.createInsecure());
});
afterAll(async () => {
  client.close();
  around.close();
  await server.close(1000);
});
beforeEach(() => {
  lines.splice(0);
});

const plain = (bytes: Buffer): Buffer => bytes;
const path = (method: string): string => `/${StorageServiceDefinition.fullName}/${method}`;
const id = (text: string): Buffer => Buffer.from([0x0a, text.length, ...Buffer.from(text)]);

function call(method: string, message: Buffer, headers: Record<string, string> = {}): Promise<ServiceError | null> {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  return new Promise((resolve) => {
    client.makeUnaryRequest(path(method), plain, plain, message, metadata, (error) => resolve(error));
  });
}

async function theLine(): Promise<Line> {
  await vi.waitFor(() => expect(lines).toHaveLength(1));
  return lines[0] ?? {};
}

it("has a line for a call from outside, with its trace and who made it", async () => {
  const traceId = "0af7651916cd43dd8448eb211c80319c";
  const { authorization = "" } = around.as(userCaller("ann", "publisher", 7)).context ?? {};
  const traceparent = `00-${traceId}-b7ad6b7169203331-01`;
  await call("CommitUpload", id("u"), { authorization, traceparent, "x-request-id": "of-the-client" });
  expect(await theLine()).toEqual({
    ...{ level: "info", time: expect.any(String), msg: "request", trace_id: traceId, span_id: "b7ad6b7169203331" },
    ...{ request_id: "of-the-client", rpc: "registry.storage.v1.StorageService/commitUpload" },
    ...{ outcome: "ok", code: "OK", duration_ms: expect.any(Number), user: 7 },
  });
});

// Field 4 with wire type 7, which does not exist.
const garbage = Buffer.from([0x27, 0xff]);
it.each([
  ["is refused", "GetUpload", id("absent"), {}, "NOT_FOUND"],
  ["may not be made", "CommitUpload", id("u"), {}, "UNAUTHENTICATED"],
  ["brings a credential that does not hold", "GetUpload", id("u"), { authorization: "Bearer no" }, "UNAUTHENTICATED"],
  ["only says that a service makes it", "GetUpload", id("u"), { "registry-service": "no" }, "UNAUTHENTICATED"],
  ["cannot be read", "GetUpload", garbage, {}, "INVALID_ARGUMENT"],
])("has a line for a call that %s", async (_what, method, message, headers, code) => {
  await call(method, message, { ...headers, "x-request-id": "this" });
  expect(await theLine()).toMatchObject({ msg: "request", request_id: "this", code, user: "anonymous" });
});

it("takes no id from a caller that looks like a token", async () => {
  await call("GetUpload", id("u"), { "x-request-id": `acr_${"a".repeat(40)}` });
  expect((await theLine()).request_id).toMatch(/^[0-9a-f-]{36}$/);
});

it("has a line for a stream whose reader went", async () => {
  const stream = client.makeServerStreamRequest(path("ReadBlob"), plain, plain, id("u"), new Metadata());
  stream.on("error", () => undefined).once("data", () => stream.cancel());
  expect(await theLine()).toMatchObject({ msg: "request", code: "CANCELLED" });
});

it("has none for what the registry's own processes ask each other, who make one request many calls", async () => {
  const addresses = new Map([[StorageServiceDefinition.fullName, `127.0.0.1:${server.port}`]]);
  const ours = new Clients({ ...around, addresses }, "catalog");
  const storage = ours.of(StorageServiceDefinition);
  await storage.getUpload({ uploadId: "u" }, around.as(userCaller("ann")));
  await storage.getUpload({ uploadId: "u" }, { as: "service" });
  await expect(storage.getUpload({ uploadId: "absent" })).rejects.toThrow("not found");
  ours.close();
  await call("GetUpload", id("u"), { "x-request-id": "from outside" });
  expect(await theLine()).toMatchObject({ msg: "request", code: "OK" });
});
