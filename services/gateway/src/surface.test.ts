import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Plugin, PluginDetails, Visibility } from "@registry/contracts/catalog";
import { rateLimited } from "@registry/domain";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { joinNamespace } from "./app.ts";
import { infoSchema, problemSchema, searchSchema } from "./schemas.ts";
import { type FakeStack, startFakeStack } from "./testing/fakes.ts";
import { say } from "./testing/http.ts";

const plugin = (name: string) => Plugin.fromPartial({ name, kind: "tool", visibility: Visibility.VISIBILITY_PUBLIC });
const catalog = {
  getPlugin: async ({ name }: { name: string }) => ({ details: PluginDetails.fromPartial({ plugin: plugin(name) }) }),
  searchPlugins: async ({ limit, kinds }: { limit: number; kinds: string[] }) => ({
    plugins: [plugin("pump")],
    details: [PluginDetails.fromPartial({ plugin: plugin(`limit-${limit}`) })],
    total: kinds.length,
  }),
  getRegistryInfo: async () => ({ pluginsCount: 3 }),
};

describe("names and queries", () => {
  let stack: FakeStack;
  beforeAll(async () => {
    stack = await startFakeStack({ catalog });
  });
  afterAll(() => stack.close());

  const nameAt = async (path: string): Promise<unknown> => {
    const response = await fetch(`${stack.url}${path}`);
    return response.status === 200 ? ((await response.json()) as { name: string }).name : response.status;
  };

  it("takes a namespace in both spellings", async () => {
    for (const spelt of ["@acme/pump", "@acme%2Fpump", "@acme%2fpump", "%40acme/pump", "%40acme%2Fpump"]) {
      expect(await nameAt(`/api/v1/plugins/${spelt}`), spelt).toBe("@acme/pump");
      const channels = await fetch(`${stack.url}/api/v1/plugins/${spelt}/channels`);
      expect([channels.status, await channels.json()], spelt).toEqual([200, { channels: {} }]);
    }
    expect(joinNamespace("/plugins/@a/b/1.0.0/b-1.0.0.zip?x=/@c/d")).toBe("/plugins/@a%2Fb/1.0.0/b-1.0.0.zip?x=/@c/d");
    expect(joinNamespace("/api/v1/users/@a/b")).toBe("/api/v1/users/@a/b");
  });

  it("finds nothing under what is no name, whatever it looks like", async () => {
    const hostile = fc.oneof(
      fc.string({ maxLength: 80 }).map(encodeURIComponent),
      fc.string({ unit: "binary", maxLength: 20 }).map((text) => encodeURIComponent(text.toWellFormed())),
      fc.constantFrom(
        "..%2f..%2fetc%2fpasswd",
        "%2e%2e",
        "a%00b",
        "A",
        "a--b",
        "$ne",
        "@a%2Fb%2Fc",
        "constructor%0d%0aX:1",
      ),
    );
    await fc.assert(
      fc.asyncProperty(hostile, async (name) => {
        const response = await fetch(`${stack.url}/api/v1/plugins/x-${name}-`);
        expect([404, 414]).toContain(response.status);
        expect(problemSchema.parse(await response.json()).detail).toMatch(
          /^(?:Plugin not found|There is nothing at this path|A part of the path is too long)$/,
        );
      }),
      { numRuns: 100 },
    );
  });

  it("reads queries strictly, and never fails of one", async () => {
    const key = fc.constantFrom(
      "query",
      "tags",
      "kind",
      "limit",
      "offset",
      "sort",
      "owner",
      "category",
      "x",
      "__proto__",
      "query[$ne]",
      "limit[]",
    );
    const value = fc.oneof(
      fc.constantFrom("1", "20", "100", "101", "-1", "1e3", "0x10", "NaN", "", "name", "{}"),
      fc.string({ maxLength: 300 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(key, value), { maxLength: 6 }), async (pairs) => {
        const query = pairs.map(([k, v]) => `${encodeURIComponent(k)}=${encodeURIComponent(v)}`).join("&");
        const response = await fetch(`${stack.url}/api/v1/plugins?${query}`);
        expect([200, 400]).toContain(response.status);
        const body = await response.json();
        if (response.status === 400) expect(body).toMatchObject({ code: "INVALID_QUERY", errors: expect.any(Array) });
        const times = (name: string): number => pairs.filter(([k]) => k === name).length;
        if (["query", "limit", "offset", "sort", "owner", "category"].some((name) => times(name) > 1)) {
          expect(response.status).toBe(400);
        }
      }),
      { numRuns: 150 },
    );
  });

  it.each([
    ["limit=0", "/limit"],
    ["limit=101", "/limit"],
    ["limit=1&limit=2", "/limit"],
    ["offset=10001", "/offset"],
    ["sort=random", "/sort"],
    ["sort=name&sort=name", "/sort"],
    [`query=${"x".repeat(257)}`, "/query"],
    [`tags=a&tags=${"x".repeat(65)}`, "/tags/1"],
  ])("says what is wrong with %s", async (query, pointer) => {
    const response = await fetch(`${stack.url}/api/v1/plugins?${query}`);
    const body = problemSchema.parse(await response.json());
    expect([response.status, body.code, body.errors?.[0]?.pointer]).toEqual([400, "INVALID_QUERY", pointer]);
    expect(body.detail).toContain(pointer.split("/")[1]);
    expect(body.detail).not.toMatch(/undefined|\[object|xxxxx/);
  });

  it("takes a kind as Python spells it", async () => {
    for (const type of ["PluginType.TOOL", "TOOL", "tool", "plugintype.tool"]) {
      const response = await fetch(`${stack.url}/api/v1/search?type=${type}&category=PluginCategory.DATA`);
      expect(searchSchema.parse(await response.json()).results).toHaveLength(1);
      expect(response.headers.get("x-total-count")).toBe("1");
    }
    expect((await fetch(`${stack.url}/api/v1/search`)).headers.get("x-total-count")).toBe("6");
    expect((await fetch(`${stack.url}/api/v1/search?type=PluginType.SPELL`)).status).toBe(400);
  });

  it("has no wrong null in an info, even of a plugin with nothing published", async () => {
    const info = infoSchema.parse(await (await fetch(`${stack.url}/api/v1/plugins/pump`)).json());
    expect(info).toMatchObject({ manifest: {}, versions: [], latest_version: "", total_downloads: 0, releases: [] });
  });

  it("sends a browser to a page, and tells others who it is", async () => {
    const other = await fetch(`${stack.url}/`);
    expect(await other.json()).toEqual({ name: "Test Registry", version: expect.any(String), plugins_count: 3 });
    const browser = await fetch(`${stack.url}/`, { headers: { accept: "text/html,*/*" }, redirect: "manual" });
    expect([browser.status, browser.headers.get("location")]).toEqual([302, "/docs"]);
    const page = await fetch(`${stack.url}/docs`);
    expect(page.headers.get("content-security-policy")).toMatch(/^default-src 'none'; style-src 'sha256-/);
    expect(await page.text()).not.toMatch(/<script|https?:/);
  });
});

describe("limits", () => {
  it.each([
    ["reads", { RATE_LIMIT_READS: 3 }, "GET", "/api/v1/plugins/pump", {}],
    ["changes", { RATE_LIMIT_WRITES: 3 }, "PATCH", "/api/v1/plugins/pump", { authorization: "Bearer publisher" }],
  ])("hold %s back once there are too many", async (_what, config, method, path, headers) => {
    const stack = await startFakeStack({ catalog }, config);
    try {
      const ask = (): Promise<Response> =>
        fetch(`${stack.url}${path}`, { method, headers: headers as Record<string, string> });
      for (let i = 0; i < 3; i++) expect((await ask()).status).not.toBe(429);
      const response = await ask();
      expect(response.status).toBe(429);
      expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
      expect(await response.json()).toMatchObject({ code: "RATE_LIMITED" });
      expect((await fetch(`${stack.url}/health`)).status).toBe(200);
      stack.around.clock.advance(61_000);
      expect((await ask()).status).not.toBe(429);
    } finally {
      await stack.close();
    }
  });

  it("of auth are told as they are: when to come again, and nothing of the credential", async () => {
    const stack = await startFakeStack({
      catalog,
      auth: { login: () => Promise.reject(rateLimited(9)) },
    });
    try {
      const json = { "content-type": "application/json" };
      const body = JSON.stringify({ username: "ann", password: "x" });
      const login = await fetch(`${stack.url}/api/v1/auth/login`, { method: "POST", headers: json, body });
      const failed = { authorization: "Bearer overused" };
      const read = await fetch(`${stack.url}/api/v1/plugins/pump`, { headers: failed });
      expect([login.status, login.headers.get("retry-after")]).toEqual([429, "9"]);
      expect([read.status, read.headers.get("retry-after")]).toEqual([429, "7"]);
      expect(await read.json()).toMatchObject({ code: "RATE_LIMITED" });
    } finally {
      await stack.close();
    }
  });
});

describe("the edge over HTTP", () => {
  let stack: FakeStack;
  const settings = {
    CORS_ORIGINS: ["https://app.example.com"],
    TRUSTED_HOSTS: ["registry.example.com"],
    PUBLIC_URL: "https://registry.example.com",
  };
  beforeAll(async () => {
    stack = await startFakeStack({ catalog }, settings);
  });
  afterAll(() => stack.close());

  const get = (path: string, host: string, more = ""): Promise<string> =>
    say(stack.url, `GET ${path} HTTP/1.1\r\nhost: ${host}\r\n${more}connection: close\r\n\r\n`);

  it("answers under its own name, and to probes under any", async () => {
    const own = (await get("/api/v1/plugins/pump", "registry.example.com")).toLowerCase();
    expect(own).toContain("http/1.1 200");
    for (const header of [
      "x-content-type-options: nosniff",
      "x-frame-options: deny",
      "x-xss-protection: 1; mode=block",
      "strict-transport-security: max-age=31536000",
      "referrer-policy: no-referrer",
    ]) {
      expect(own).toContain(header);
    }
    expect(await get("/api/v1/plugins/pump", "evil.com")).toMatch(/^HTTP\/1\.1 400 .*UNTRUSTED_HOST/s);
    expect(await get("/health", "10.0.0.7:8080")).toMatch(/^HTTP\/1\.1 200 /);
  });

  it("lets pages of the allowed origins read, and no others", async () => {
    const allowed = await get("/api/v1/plugins/pump", "registry.example.com", "origin: https://app.example.com\r\n");
    expect(allowed).toMatch(/access-control-allow-origin: https:\/\/app\.example\.com/i);
    expect(allowed).toMatch(/vary: .*origin/i);
    const other = await get("/api/v1/plugins/pump", "registry.example.com", "origin: https://evil.com\r\n");
    expect(other).not.toMatch(/access-control-allow-origin/i);
    const preflight = await say(
      stack.url,
      "OPTIONS /api/v1/plugins HTTP/1.1\r\nhost: registry.example.com\r\norigin: https://app.example.com\r\naccess-control-request-method: POST\r\nconnection: close\r\n\r\n",
    );
    expect(preflight).toMatch(/^HTTP\/1\.1 204 /);
    expect(preflight).toMatch(/access-control-allow-methods: GET, POST/i);
    expect(preflight).toMatch(/access-control-allow-headers: Authorization/i);
    // What a page sends that reads changes with a credential, and goes on where it was cut off.
    expect(preflight).toMatch(/access-control-allow-headers: [^\r]*Last-Event-ID/i);
  });
});

it("serves the web interface's files, and nothing beside them", async () => {
  const folder = await mkdtemp(join(tmpdir(), "gateway-ui-"));
  await mkdir(join(folder, "ui"));
  await writeFile(join(folder, "secret.txt"), "secret");
  await writeFile(join(folder, "ui", "index.html"), "<title>Registry</title>");
  const stack = await startFakeStack({ catalog }, {}, join(folder, "ui"));
  try {
    const root = await fetch(`${stack.url}/`, { headers: { accept: "text/html" } });
    expect([root.url, await root.text()]).toEqual([`${stack.url}/ui/`, "<title>Registry</title>"]);
    expect(root.headers.get("content-security-policy")).toMatch(/^default-src 'self';/);
    expect(root.headers.get("x-content-type-options")).toBe("nosniff");
    for (const path of ["/ui/../secret.txt", "/ui/%2e%2e/secret.txt", "/ui/..%2fsecret.txt"]) {
      const heard = await say(stack.url, `GET ${path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`);
      expect(heard).toMatch(/^HTTP\/1\.1 40[034] /);
      expect(heard).not.toMatch(/\r\n\r\nsecret/);
    }
  } finally {
    await stack.close();
    await rm(folder, { recursive: true, force: true });
  }
});
