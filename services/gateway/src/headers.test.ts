import { createHash } from "node:crypto";
import { Plugin, PluginDetails, ReleaseState, Visibility } from "@registry/contracts/catalog";
import { RegistryError, unauthenticated } from "@registry/domain";
import type { CallContext } from "@registry/kit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FakeStack, startFakeStack } from "./testing/fakes.ts";
import { say } from "./testing/http.ts";

const plugin = Plugin.fromPartial({ name: "pump", kind: "tool", visibility: Visibility.VISIBILITY_PUBLIC });
const bytes = Buffer.from("the package");
const sha256 = createHash("sha256").update(bytes).digest("hex");
const { RELEASE_STATE_PUBLISHED: published } = ReleaseState;
const user = { id: 1, username: "ann", email: "ann@example.org", role: "user" };
const session = { token: "t", expiresAt: new Date(0), user };

const neighbours = {
  catalog: {
    getPlugin: async ({ name }: { name: string }) => {
      if (name === "bug") throw new TypeError("of ours");
      if (name === "busy")
        throw new RegistryError("rate_limited", "RATE_LIMITED", "too much", { retryAfterSeconds: 1 });
      if (name === "away") throw new RegistryError("unavailable", "AWAY", "away");
      return { details: PluginDetails.fromPartial({ plugin }) };
    },
    searchPlugins: async () => ({ plugins: [plugin], details: [], total: 1 }),
    getRegistryInfo: async () => ({ pluginsCount: 1 }),
    getRelease: async () => ({ release: { plugin: "pump", version: "1.0.0", readme: "# <script>", sha256 } }),
    resolveDownload: async () => ({
      release: { plugin: "pump", version: "1.0.0", sha256, size: bytes.length, container: "zip", state: published },
      visibility: Visibility.VISIBILITY_PUBLIC,
    }),
  },
  storage: {
    readBlob: async function* ({ offset, length }: { offset: number; length: number }) {
      yield { part: { $case: "header" as const, value: { sha256, size: bytes.length, derived: false } } };
      yield {
        part: { $case: "chunk" as const, value: bytes.subarray(offset, length === 0 ? undefined : offset + length) },
      };
    },
  },
  auth: {
    getMe: async (_request: unknown, { caller }: CallContext) => {
      if (caller.type === "anonymous") throw unauthenticated();
      return { user };
    },
    login: async () => session,
    logout: async () => ({}),
    createApiToken: async () => ({ token: { id: "1", name: "ci" }, secret: "acr_x" }),
  },
};

/** Status and headers as they came over the socket, names in lower case. */
function parse(heard: string): { status: number; headers: Map<string, string>; body: string } {
  const end = heard.indexOf("\r\n\r\n");
  const [first = "", ...lines] = heard.slice(0, end).split("\r\n");
  const pairs = lines.map(
    (line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 2)] as const,
  );
  const names = pairs.map(([name]) => name).filter((name) => name !== "set-cookie");
  expect(new Set(names).size, heard.slice(0, end)).toBe(names.length);
  return { status: Number(first.split(" ")[1]), headers: new Map(pairs), body: heard.slice(end + 4) };
}

const request = (line: string, ...more: string[]): string =>
  [`${line} HTTP/1.1`, "host: registry.example.com", "connection: close", ...more, "", ""].join("\r\n");
const withBody = (line: string, body: string, ...more: string[]): string =>
  `${request(line, "content-type: application/json", `content-length: ${body.length}`, ...more)}${body}`;
const asUser = "authorization: Bearer reader";

const kinds: [what: string, status: number, text: string][] = [
  ["JSON", 200, request("GET /api/v1/plugins/pump")],
  ["JSON from memory", 200, request("GET /api/v1/plugins/pump")],
  ["a list", 200, request("GET /api/v1/plugins")],
  ["HEAD", 200, request("HEAD /api/v1/plugins/pump")],
  ["the root", 200, request("GET /")],
  ["a redirect", 302, request("GET /", "accept: text/html")],
  ["unchanged JSON", 304, request("GET /api/v1/plugins/pump", "if-none-match: *")],
  ["unchanged JSON, asked by a user", 304, request("GET /api/v1/plugins/pump", "if-none-match: *", asUser)],
  ["a login", 200, withBody("POST /api/v1/auth/login", '{"username":"ann","password":"a long enough password"}')],
  ["nothing", 204, request("POST /api/v1/auth/logout", "content-length: 0", asUser)],
  ["a new token", 201, withBody("POST /api/v1/tokens", '{"name":"ci"}', asUser)],
  ["a page", 200, request("GET /docs")],
  ["the OpenAPI document", 200, request("GET /openapi.json")],
  ["metrics", 200, request("GET /metrics")],
  ["health", 200, request("GET /health")],
  ["readiness", 200, request("GET /ready")],
  ["security.txt", 200, request("GET /.well-known/security.txt")],
  ["a package", 200, request("GET /plugins/pump/1.0.0/pump-1.0.0.zip")],
  ["a package from memory", 200, request("GET /plugins/pump/1.0.0/pump-1.0.0.zip")],
  ["a part of a package", 206, request("GET /plugins/pump/1.0.0/pump-1.0.0.zip", "range: bytes=0-1")],
  ["no part of a package", 416, request("GET /plugins/pump/1.0.0/pump-1.0.0.zip", "range: bytes=99-")],
  ["HEAD of a package", 200, request("HEAD /plugins/pump/1.0.0/pump-1.0.0.zip")],
  ["an unchanged package", 304, request("GET /plugins/pump/1.0.0/pump-1.0.0.zip", "if-none-match: *")],
  [
    "OPTIONS",
    204,
    request("OPTIONS /api/v1/plugins", "origin: https://evil.example", "access-control-request-method: POST"),
  ],
  ["OPTIONS of nothing", 404, request("OPTIONS /nowhere")],
  ["a query that is wrong", 400, request("GET /api/v1/plugins?limit=0")],
  ["a host that is not trusted", 400, request("GET /").replace("registry.example.com", "evil.example")],
  ["a bad path", 400, request("GET /api/v1/plugins/%ff")],
  ["no credential", 401, request("GET /api/v1/auth/me")],
  ["a bad credential", 401, request("GET /api/v1/plugins", "authorization: Bearer nobody")],
  ["nothing there", 404, request("GET /nowhere")],
  ["a wrong method", 405, request("DELETE /api/v1/plugins", "content-length: 0")],
  ["a method of nobody", 405, request("TRACE /api/v1/plugins")],
  ["a body that is too large", 413, withBody("POST /api/v1/auth/login", `"${"x".repeat(70_000)}"`)],
  ["a path that is too long", 414, request(`GET /api/v1/plugins/${"a".repeat(3000)}`)],
  ["another media type", 415, request("POST /api/v1/auth/login", "content-type: text/plain", "content-length: 0")],
  ["too much", 429, request("GET /api/v1/plugins/busy")],
  ["headers that are too large", 431, request("GET /", `x: ${"y".repeat(20_000)}`)],
  ["what is no HTTP", 400, "nonsense\r\n\r\n"],
  ["a fault of ours", 500, request("GET /api/v1/plugins/bug")],
  ["a service that is away", 503, request("GET /api/v1/plugins/away")],
];

describe("every answer", () => {
  let stack: FakeStack;
  beforeAll(async () => {
    stack = await startFakeStack(neighbours, {
      PUBLIC_URL: "https://registry.example.com",
      TRUSTED_HOSTS: ["registry.example.com"],
    });
  });
  afterAll(() => stack.close());

  const ask = async (text: string) => parse(await say(stack.url, text));

  it.each(kinds)("has the headers that keep browsers from harm: %s", async (_what, status, text) => {
    const answer = await ask(text);
    expect(answer.status).toBe(status);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
      "x-xss-protection": "1; mode=block",
      "referrer-policy": "no-referrer",
      "strict-transport-security": "max-age=31536000",
      "content-security-policy": expect.stringMatching(/^default-src 'none';.*frame-ancestors 'none'/),
    });
    expect(answer.headers.get("content-security-policy")).not.toMatch(/unsafe|\*|https?:/);
    expect(answer.headers.has("server")).toBe(false);
    expect(answer.headers.has("x-powered-by")).toBe(false);
    expect(answer.headers.has("access-control-allow-origin")).toBe(false);
    if (status >= 400) expect(answer.headers.get("cache-control")).toBe("no-store");
  });

  it("that carries a secret is kept by nobody", async () => {
    for (const what of ["a login", "a new token", "nothing", "a redirect"]) {
      const [, , text = ""] = kinds.find(([kind]) => kind === what) ?? [];
      expect([what, (await ask(text)).headers.get("cache-control")]).toEqual([what, "no-store"]);
    }
  });
});

describe("a credential", () => {
  let stack: FakeStack;
  beforeAll(async () => {
    stack = await startFakeStack(neighbours);
  });
  afterAll(() => stack.close());

  it("counts in its own header alone", async () => {
    expect((await ask(request("GET /api/v1/auth/me", asUser))).status).toBe(200);
    for (const name of ["token", "access_token", "api_key", "apikey", "authorization", "auth", "bearer"]) {
      const { status } = await ask(request(`GET /api/v1/auth/me?${name}=reader`));
      expect([name, status]).toEqual([name, 401]);
    }
    const inCookie = await ask(request("GET /api/v1/auth/me", "cookie: token=reader; authorization=Bearer reader"));
    expect(inCookie.status).toBe(401);
    const inUserInfo = await ask(request("GET http://reader:reader@registry.example.com/api/v1/auth/me"));
    expect(inUserInfo.status).not.toBe(200);
    expect((await ask(request("GET /api/v1/auth/me", "authorization: Basic cmVhZGVyOnJlYWRlcg=="))).status).toBe(401);
  });

  async function ask(text: string) {
    return parse(await say(stack.url, text));
  }
});

describe("a request that two readers could read differently", () => {
  let stack: FakeStack;
  beforeAll(async () => {
    stack = await startFakeStack(neighbours);
  });
  afterAll(() => stack.close());

  const second = "GET /nowhere HTTP/1.1\r\nhost: a\r\n\r\n";
  const post = (headers: string, rest: string): string =>
    `POST /api/v1/auth/login HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n${headers}\r\n\r\n${rest}`;

  it.each([
    ["has a length and is chunked", post("content-length: 4\r\ntransfer-encoding: chunked", `0\r\n\r\n${second}`)],
    ["is chunked and has a length", post("transfer-encoding: chunked\r\ncontent-length: 4", `0\r\n\r\n${second}`)],
    ["has two lengths", post("content-length: 0\r\ncontent-length: 40", second)],
    ["has a list of lengths", post("content-length: 0, 40", second)],
    ["has a signed length", post("content-length: +40", second)],
    ["has a length in hexadecimal", post("content-length: 0x28", second)],
    ["is chunked and then not", post("transfer-encoding: chunked, identity", `0\r\n\r\n${second}`)],
    ["is chunked in disguise", post("transfer-encoding: xchunked", `0\r\n\r\n${second}`)],
    ["hides the name of its coding", post("transfer-encoding : chunked", `0\r\n\r\n${second}`)],
    ["folds a header", post("x: y\r\n transfer-encoding: chunked", `0\r\n\r\n${second}`)],
    ["ends lines with a line feed alone", post("transfer-encoding: chunked", `0\n\n${second}`)],
    ["has a chunk whose size is no number", post("transfer-encoding: chunked", `0x4\r\nabcd\r\n0\r\n\r\n${second}`)],
    ["has a null in a header", post("x: a\0b\r\ncontent-length: 0", second)],
    ["has a bare carriage return in a header", post("x: a\rtransfer-encoding: chunked", `0\r\n\r\n${second}`)],
  ])("is refused, and what follows it is not heard: it %s", async (_what, text) => {
    const heard = await say(stack.url, text, /\r\n\r\n\{.*\}$/s);
    expect(heard).toMatch(/^HTTP\/1\.1 400 /);
    expect(heard.toLowerCase()).toContain("connection: close");
    expect(heard).not.toContain("ROUTE_NOT_FOUND");
    expect(heard.match(/HTTP\/1\.1 /g)).toHaveLength(1);
  });
});
