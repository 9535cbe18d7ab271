import { CatalogServiceDefinition } from "@registry/contracts/catalog";
import { errorKinds, RegistryError } from "@registry/domain";
import { startGrpcServer } from "@registry/kit";
import { createTestSurroundings } from "@registry/kit/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { toProblem } from "./http-errors.ts";
import { problemSchema } from "./schemas.ts";
import { type FakeStack, fakeService, startFakeStack } from "./testing/fakes.ts";
import { say } from "./testing/http.ts";

const statuses: Readonly<Record<string, number>> = {
  invalid_argument: 400,
  unauthenticated: 401,
  permission_denied: 403,
  not_found: 404,
  already_exists: 409,
  gone: 410,
  too_large: 413,
  unsupported_media: 415,
  rejected: 422,
  conflict: 409,
  out_of_range: 416,
  rate_limited: 429,
  unavailable: 503,
  deadline_exceeded: 504,
  cancelled: 503,
  unimplemented: 501,
  internal: 500,
};

/** A catalog that fails as the plugin's name says. */
const failing = {
  getPlugin: async ({ name }: { name: string }): Promise<never> => {
    if (name === "bug") throw new TypeError("the password is hunter2");
    const kind = errorKinds.find((each) => each === name.replaceAll("-", ".").replaceAll(".", "_"));
    throw new RegistryError(
      kind ?? "internal",
      `SOME_${name.toUpperCase().replaceAll("-", "_")}`,
      `because of ${name}`,
      {
        fields: [{ pointer: "/somewhere/3", reason: "it says so" }],
        ...(kind === "rate_limited" || kind === "unavailable" ? { retryAfterSeconds: 7 } : {}),
      },
    );
  },
};

describe.each(["in the process", "over the wire"])("a failure of a service %s", (where) => {
  let stack: FakeStack;
  let served = 0;
  const closers: (() => Promise<void> | void)[] = [];

  beforeAll(async () => {
    if (where === "in the process") {
      stack = await startFakeStack({ catalog: failing });
      return;
    }
    const elsewhere = createTestSurroundings();
    const table = fakeService(CatalogServiceDefinition, {
      getPlugin: (request) => {
        served += 1;
        return failing.getPlugin(request);
      },
    });
    const server = await startGrpcServer([table], elsewhere.pipeline, { host: "127.0.0.1", port: 0 });
    const { client, close } = elsewhere.clients.at(CatalogServiceDefinition, `127.0.0.1:${server.port}`);
    closers.push(close, () => server.close(1000));
    stack = await startFakeStack({
      catalog: { getPlugin: (request, context) => client.getPlugin(request, { context }) },
    });
  });
  afterAll(async () => {
    await stack.close();
    for (const close of closers) await close();
    expect(served > 0).toBe(where === "over the wire");
  });

  it.each(errorKinds)("%s keeps its reason, its text and its fields", async (kind) => {
    const response = await fetch(`${stack.url}/api/v1/plugins/${kind.replaceAll("_", "-")}`);
    const body = problemSchema.parse(await response.json());
    expect(response.status).toBe(statuses[kind]);
    expect(response.headers.get("content-type")).toBe("application/problem+json; charset=utf-8");
    expect(body).toMatchObject({
      status: statuses[kind],
      code: `SOME_${kind.toUpperCase()}`,
      detail: `because of ${kind.replaceAll("_", "-")}`,
      errors: [{ pointer: "/somewhere/3", reason: "it says so" }],
      request_id: response.headers.get("x-request-id"),
    });
    expect(response.headers.get("www-authenticate")).toBe(kind === "unauthenticated" ? "Bearer" : null);
    if (kind === "rate_limited" || kind === "unavailable") expect(response.headers.get("retry-after")).toBe("7");
  });

  it("says nothing about a fault of ours", async () => {
    const response = await fetch(`${stack.url}/api/v1/plugins/bug`);
    const text = await response.text();
    expect(response.status).toBe(500);
    expect(text).toContain('"INTERNAL"');
    expect(text).not.toMatch(/hunter2|TypeError/);
  });
});

describe("what HTTP itself refuses", () => {
  let stack: FakeStack;
  beforeAll(async () => {
    stack = await startFakeStack({});
  });
  afterAll(() => stack.close());

  const json = "content-type: application/json\r\n";
  const login = "POST /api/v1/auth/login HTTP/1.1\r\nhost: a\r\n";
  it.each([
    ["a body that is cut short in its JSON", `${login}${json}content-length: 1\r\n\r\n{`, 400, "MALFORMED_BODY"],
    ["no JSON where some is needed", `${login}${json}content-length: 0\r\n\r\n`, 400, "INVALID_BODY"],
    [
      "a key that would change prototypes",
      `${login}${json}content-length: 16\r\n\r\n{"__proto__":{}}`,
      400,
      "MALFORMED_BODY",
    ],
    [
      "another media type",
      `${login}content-type: text/plain\r\ncontent-length: 1\r\n\r\nx`,
      415,
      "UNSUPPORTED_MEDIA_TYPE",
    ],
    ["a body that is too large", `${login}${json}content-length: 999999\r\n\r\n`, 413, "BODY_TOO_LARGE"],
    ["a path that is no UTF-8", "GET /api/v1/plugins/%ff HTTP/1.1\r\nhost: a\r\n\r\n", 400, "MALFORMED_URL"],
    [
      "a part of the path that is too long",
      `GET /api/v1/plugins/${"a".repeat(3000)} HTTP/1.1\r\nhost: a\r\n\r\n`,
      414,
      "URL_TOO_LONG",
    ],
    ["a host that is none", "GET / HTTP/1.1\r\nhost: a/b\r\n\r\n", 400, "UNTRUSTED_HOST"],
    ["no host at all", "GET / HTTP/1.1\r\n\r\n", 400, "UNTRUSTED_HOST"],
    ["two hosts", "GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n", 400, "UNTRUSTED_HOST"],
    [
      "two credentials",
      "GET /api/v1/plugins/gone HTTP/1.1\r\nhost: a\r\nauthorization: Bearer admin\r\nauthorization: Bearer reader\r\n\r\n",
      401,
      "INVALID_CREDENTIAL",
    ],
    [
      "an expectation that nobody knows",
      "GET /nowhere HTTP/1.1\r\nhost: a\r\nexpect: magic\r\n\r\n",
      404,
      "ROUTE_NOT_FOUND",
    ],
    [
      "headers that are too large",
      `GET / HTTP/1.1\r\nhost: a\r\nx: ${"y".repeat(20_000)}\r\n\r\n`,
      431,
      "HEADERS_TOO_LARGE",
    ],
    ["what is no HTTP", "nonsense\r\n\r\n", 400, "MALFORMED_REQUEST"],
    [
      "two lengths at once",
      `${login}content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
      400,
      "MALFORMED_REQUEST",
    ],
    [
      "a method that the path does not have",
      "PUT /api/v1/plugins HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n",
      405,
      "METHOD_NOT_ALLOWED",
    ],
    [
      "the method QUERY, which no path has",
      "QUERY /api/v1/plugins HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n",
      405,
      "METHOD_NOT_ALLOWED",
    ],
    [
      "the method PROPFIND, which no path has",
      "PROPFIND /api/v1/plugins HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n",
      405,
      "METHOD_NOT_ALLOWED",
    ],
    [
      "the method TRACE, which no path has",
      "TRACE /api/v1/plugins HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n",
      405,
      "METHOD_NOT_ALLOWED",
    ],
    [
      "an unknown method on a path that leads nowhere",
      "QUERY /nowhere HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n",
      404,
      "ROUTE_NOT_FOUND",
    ],
    [
      "a strange body on a path that leads nowhere",
      "POST /nowhere HTTP/1.1\r\nhost: a\r\ncontent-type: a/b\r\ncontent-length: 1\r\n\r\nx",
      404,
      "ROUTE_NOT_FOUND",
    ],
    [
      "a bad body of somebody who would have to say who it is",
      `POST /api/v1/tokens HTTP/1.1\r\nhost: a\r\n${json}content-length: 1\r\n\r\n{`,
      401,
      "INVALID_CREDENTIAL",
    ],
    ["a path that leads nowhere", "GET /../../etc/passwd HTTP/1.1\r\nhost: a\r\n\r\n", 404, "ROUTE_NOT_FOUND"],
  ])("%s", async (_what, text, status, code) => {
    const heard = await say(stack.url, text, /\r\n\r\n(?:\{.*\})?$/s);
    expect(heard.split("\r\n")[0]).toContain(` ${status} `);
    const body = problemSchema.parse(JSON.parse(heard.slice(heard.indexOf("\r\n\r\n"))));
    expect(body).toMatchObject({ status, code });
    expect(heard.toLowerCase()).toContain("x-content-type-options: nosniff");
  });

  it("says which methods there are", async () => {
    const response = await fetch(`${stack.url}/api/v1/plugins/x/channels/beta`, { method: "PATCH" });
    expect(response.headers.get("allow")).toBe("GET, PUT, DELETE, HEAD, OPTIONS");
    const head = await fetch(`${stack.url}/api/v1/tokens/x`, { method: "HEAD" });
    expect([head.status, head.headers.get("allow")]).toEqual([405, "DELETE, OPTIONS"]);
    const options = await fetch(`${stack.url}/api/v1/plugins`, { method: "OPTIONS" });
    expect([options.status, options.headers.get("allow")]).toEqual([204, "GET, POST, HEAD, OPTIONS"]);
  });
});

it("turns what nobody foresaw into a fixed text", () => {
  for (const thrown of [new Error("secret"), "secret", undefined, { statusCode: 200 }]) {
    const { status, body, fault } = toProblem(thrown, "r");
    expect([status, body.code, fault]).toEqual([500, "INTERNAL", true]);
    expect(JSON.stringify(body)).not.toContain("secret");
  }
});
