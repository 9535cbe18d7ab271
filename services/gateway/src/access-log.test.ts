import { type Plugin, PluginDetails, Visibility } from "@registry/contracts/catalog";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, expect, it, vi } from "vitest";
import { type FakeStack, startFakeStack } from "./testing/fakes.ts";
import { rawSocket, say } from "./testing/http.ts";

let stack: FakeStack;
let asked = 0;
let seen = 0;

const pump: Partial<Plugin> = {
  name: "pump",
  title: "Pump",
  kind: "tool",
  visibility: Visibility.VISIBILITY_PUBLIC,
  latest: "1.0.0",
};

beforeAll(async () => {
  stack = await startFakeStack({
    catalog: {
      async getPlugin() {
        asked += 1;
        return { details: PluginDetails.fromPartial({ plugin: pump, versions: ["1.0.0"] }) };
      },
    },
  });
  await vi.waitFor(async () => {
    expect(await (await fetch(`${stack.url}/ready`)).json()).toMatchObject({ checks: { cache: true } });
  });
});
afterAll(() => stack.close());
beforeEach(() => {
  seen = stack.lines.length;
});

type Line = Record<string, unknown>;
const linesSince = (): Line[] => stack.lines.slice(seen).map((line) => JSON.parse(line) as Line);
/** The line of the one request since the test began. */
async function theLine(): Promise<Line> {
  await vi.waitFor(() => expect(linesSince()).toHaveLength(1));
  return linesSince()[0] ?? {};
}

const path = "/api/v1/plugins/pump";
const traceId = "0af7651916cd43dd8448eb211c80319c";
const traceparent = `00-${traceId}-b7ad6b7169203331-01`;

it("has a line for an answer, with all that may be told of it", async () => {
  const headers = {
    authorization: "Bearer publisher",
    "user-agent": "npm/11.1.0 node/v24",
    "x-request-id": "of-the-client_1",
  };
  const answer = await fetch(`${stack.url}${path}?version=1.0.0`, { headers });
  const body = await answer.arrayBuffer();
  expect(await theLine()).toEqual({
    level: "info",
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    service: "gateway",
    request_id: "of-the-client_1",
    method: "GET",
    route: "/api/v1/plugins/{name}",
    status: 200,
    duration_ms: expect.any(Number),
    bytes: body.byteLength,
    user: 2,
    client: "npm",
    msg: "request",
  });
});

it("has the same line for an answer from memory, and for one that had not changed", async () => {
  const etag = await vi.waitFor(async () => {
    const before = asked;
    const answer = await fetch(stack.url + path);
    expect(asked).toBe(before);
    return answer.headers.get("etag") ?? "";
  });
  await vi.waitFor(() => expect(linesSince().length).toBeGreaterThan(0));
  seen = stack.lines.length;
  const before = asked;
  const answer = await fetch(stack.url + path);
  const body = await answer.arrayBuffer();
  const common = { method: "GET", route: "/api/v1/plugins/{name}", user: "anonymous", client: "rest" };
  expect(await theLine()).toMatchObject({
    ...common,
    status: 200,
    bytes: body.byteLength,
    request_id: answer.headers.get("x-request-id"),
  });
  seen = stack.lines.length;
  const headers = { "if-none-match": etag, traceparent, "x-request-id": "again" };
  const unchanged = await fetch(stack.url + path, { headers });
  expect([unchanged.status, unchanged.headers.get("x-request-id")]).toEqual([304, "again"]);
  expect(await theLine()).toMatchObject({ ...common, status: 304, bytes: 0, request_id: "again", trace_id: traceId });
  expect(asked).toBe(before);
});

it.each([
  ["a path that leads nowhere", "GET", "/nowhere/at/all", { status: 404, route: "unmatched" }],
  ["a path that cannot be read", "GET", "/api/v1/plugins/%zz", { status: 400, route: "unmatched" }],
  ["a wrong method", "DELETE", "/api/v1/search", { status: 405, route: "/api/v1/search" }],
  ["no credential", "GET", "/api/v1/users", { status: 401, route: "/api/v1/users", user: "anonymous" }],
  ["HEAD", "HEAD", path, { status: 200, bytes: 0 }],
])("has a line for %s", async (_what, method, url, expected) => {
  const answer = await fetch(stack.url + url, { method });
  const request_id = answer.headers.get("x-request-id");
  expect(await theLine()).toMatchObject({ method, request_id, ...expected });
});

it("says what trace a client is in, though none is recorded here", async () => {
  await fetch(`${stack.url}/api/v1/users`, { headers: { traceparent } });
  expect(await theLine()).toMatchObject({ trace_id: traceId, span_id: "b7ad6b7169203331" });
  seen = stack.lines.length;
  await fetch(`${stack.url}/api/v1/users`, { headers: { traceparent: "00-bad-bad-01" } });
  expect(await theLine()).not.toHaveProperty("trace_id");
});

it("says that a client went before it had its answer", async () => {
  const socket = await rawSocket(stack.url);
  const head = ["POST /api/v1/auth/login HTTP/1.1", "Host: a", "Content-Type: application/json", "Content-Length: 50"];
  socket.write(`${head.join("\r\n")}\r\n\r\n{`, () => socket.destroy());
  expect(await theLine()).toMatchObject({ route: "/api/v1/auth/login", status: 499, aborted: true });
});

const login = "POST /api/v1/auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n";
it.each([
  ["is no HTTP", "nonsense\r\n\r\n", { status: 400, method: "_OTHER", route: "unmatched" }],
  ["has headers without end", `GET / HTTP/1.1\r\nx: ${"y".repeat(20_000)}\r\n\r\n`, { status: 431, method: "_OTHER" }],
  [
    "breaks off in its body",
    `${login}Transfer-Encoding: chunked\r\n\r\nZZZ\r\n`,
    { status: 400, method: "POST", route: "/api/v1/auth/login" },
  ],
])("has one line for what %s, by the id and the status that were answered", async (_what, text, expected) => {
  const [head = "", body = ""] = (await say(stack.url, text)).split("\r\n\r\n");
  const request_id = /^x-request-id: (.+)$/m.exec(head)?.[1];
  expect(JSON.parse(body)).toMatchObject({ status: expected.status, request_id });
  expect(await theLine()).toMatchObject({ request_id, bytes: body.length, user: "anonymous", ...expected });
});

it("has no second line, and no second answer, for what breaks after it was answered", async () => {
  const socket = await rawSocket(stack.url);
  let heard = "";
  socket.on("data", (bytes) => {
    heard += bytes.toString();
  });
  socket.write("POST /api/v1/users HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  await vi.waitFor(() => expect(heard).toContain("}"));
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.write("no length\r\n");
  await closed;
  expect(heard.match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 401"]);
  await fetch(`${stack.url}/nowhere`);
  await vi.waitFor(() => expect(linesSince()).toHaveLength(2));
  expect(linesSince()).toMatchObject([{ status: 401 }, { status: 404 }]);
});

it("answers first what came before something that is no HTTP, with a line for each", async () => {
  const get = "GET /api/v1/users HTTP/1.1\r\nHost: a\r\n\r\n";
  const heard = await say(stack.url, `${get}hello`);
  const ids = [...heard.matchAll(/^x-request-id: (.+)\r$/gm)].map(([, id]) => id);
  expect(heard.match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 401", "HTTP/1.1 400"]);
  await vi.waitFor(() => expect(linesSince()).toHaveLength(2));
  expect(linesSince()).toMatchObject([
    { request_id: ids[0], status: 401, route: "/api/v1/users" },
    { request_id: ids[1], status: 400, method: "_OTHER" },
  ]);
});

it("is silent of probes that are told that all is well", async () => {
  for (const probe of ["/health", "/ready", "/metrics"]) await fetch(stack.url + probe);
  await fetch(`${stack.url}/nowhere`);
  expect(await theLine()).toMatchObject({ route: "unmatched" });
});

it("keeps each request to one line, and out of it whatever the client wrote", async () => {
  const mark = "x9secretx9";
  const text = fc.string({ unit: fc.constantFrom(...'abc%22%0a"\\\n\r{}', mark), maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(text, text, text, async (a, b, c) => {
      seen = stack.lines.length;
      const [part, query] = [encodeURIComponent(a + mark), encodeURIComponent(b + mark)];
      const header = (c + mark).replace(/[\r\n]/g, " ").trim();
      const headers = { "user-agent": header, "x-request-id": `${header};`, "x-other": header, traceparent: header };
      await fetch(`${stack.url}/t/${part}/${mark}?access_token=${query}`, { headers });
      await theLine();
      expect(stack.lines.at(-1)).toMatch(/^\{[^\n]*\}\n$/);
      expect(stack.lines.at(-1)).not.toContain(mark);
    }),
    { numRuns: 30 },
  );
});

it("takes no id from a client that looks like a token", async () => {
  const token = `acr_${"a".repeat(40)}`;
  const answer = await fetch(`${stack.url}/nowhere`, { headers: { "x-request-id": token } });
  expect(answer.headers.get("x-request-id")).not.toBe(token);
  expect((await theLine()).request_id).toBe(answer.headers.get("x-request-id"));
});
