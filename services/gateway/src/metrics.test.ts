import { createHash } from "node:crypto";
import { Plugin, PluginDetails, ReleaseState, Visibility } from "@registry/contracts/catalog";
import { pluginNotFound, RegistryError } from "@registry/domain";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FakeStack, startFakeStack } from "./testing/fakes.ts";
import { rawSocket, say } from "./testing/http.ts";

const bytes = Buffer.alloc(5000, "x");
const sha256 = createHash("sha256").update(bytes).digest("hex");
const plugin = Plugin.fromPartial({ name: "pump", kind: "tool", visibility: Visibility.VISIBILITY_PUBLIC });

const neighbours = {
  catalog: {
    getPlugin: async ({ name }: { name: string }) => {
      if (name !== "pump") throw pluginNotFound();
      return { details: PluginDetails.fromPartial({ plugin }) };
    },
    resolveDownload: async () => ({
      release: {
        ...{ plugin: "pump", version: "1.0.0", sha256, size: bytes.length, container: "zip" },
        state: ReleaseState.RELEASE_STATE_PUBLISHED,
      },
      visibility: Visibility.VISIBILITY_PUBLIC,
    }),
  },
  storage: {
    readBlob: async function* ({ offset, length }: { offset: number; length: number }) {
      yield { part: { $case: "header" as const, value: { sha256, size: bytes.length, derived: false } } };
      const value = bytes.subarray(offset, length === 0 ? undefined : offset + length);
      yield { part: { $case: "chunk" as const, value } };
    },
  },
};

/** Series whose name begins like this, with their values. */
async function scrape(stack: FakeStack, start: string): Promise<Record<string, number>> {
  const lines = (await (await fetch(`${stack.url}/metrics`)).text()).split("\n");
  const found = lines.filter((line) => line.startsWith(start));
  return Object.fromEntries(found.map((line) => [line.replace(/ \S+$/, ""), Number(line.replace(/^.* /, ""))]));
}

const count = "registry_api_request_duration_seconds_count";
const requests = (method: string, endpoint: string, status: number): string =>
  `${count}{method="${method}",endpoint="${endpoint}",status="${status}"}`;

describe("requests", () => {
  let stack: FakeStack;
  beforeAll(async () => {
    stack = await startFakeStack(neighbours);
  });
  afterAll(() => stack.close());

  it("are told by the template of their route and by nothing that anybody typed", async () => {
    for (const path of ["pump", "no-such-plugin", "another", "pump"]) {
      await fetch(`${stack.url}/api/v1/plugins/${path}`).then((response) => response.arrayBuffer());
    }
    for (const path of ["nowhere", "a/b/c", "x?y=z", "%ff", `plugins/${"a".repeat(3000)}`, "api/v1/nope"]) {
      await fetch(`${stack.url}/${path}`).then((response) => response.arrayBuffer());
    }
    for (const line of ["PROPFIND /nowhere", "TRACE /api/v1/plugins/pump", "M-SEARCH /api/v1/plugins/pump", "FOO /x"]) {
      await say(stack.url, `${line} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`);
    }
    await expect
      .poll(() => scrape(stack, count))
      .toEqual({
        [requests("GET", "/api/v1/plugins/{name}", 200)]: 2,
        [requests("GET", "/api/v1/plugins/{name}", 404)]: 2,
        [requests("other", "/api/v1/plugins/{name}", 405)]: 2,
        [requests("GET", "unmatched", 404)]: 4,
        [requests("GET", "unmatched", 414)]: 1,
        [requests("GET", "unmatched", 400)]: 1,
        [requests("other", "unmatched", 404)]: 1,
        [requests("other", "unmatched", 400)]: 1,
        [requests("GET", "/metrics", 200)]: expect.any(Number),
      });
  });

  it("are seen while they are under way", async () => {
    // The scrape itself is one, and no other is left.
    await expect
      .poll(() => scrape(stack, "registry_api_requests_in_flight"))
      .toEqual({
        registry_api_requests_in_flight: 1,
      });
  });
});

describe("answers that do not end by themselves", () => {
  const large = { size: 3 * 1024 * 1024, digest: "a".repeat(64) };
  const held = Promise.withResolvers<void>();
  let stack: FakeStack;
  beforeAll(async () => {
    stack = await startFakeStack({
      ...neighbours,
      catalog: {
        ...neighbours.catalog,
        getPlugin: async () => {
          await held.promise;
          throw pluginNotFound();
        },
        resolveDownload: async () => ({
          release: {
            ...{ plugin: "pump", version: "1.0.0", sha256: large.digest, size: large.size, container: "zip" },
            state: ReleaseState.RELEASE_STATE_PUBLISHED,
          },
          visibility: Visibility.VISIBILITY_PUBLIC,
        }),
      },
      storage: {
        readBlob: async function* ({ offset }) {
          const header = { sha256: large.digest, size: large.size, derived: false };
          yield { part: { $case: "header" as const, value: header } };
          if (offset === 0) yield { part: { $case: "chunk" as const, value: Buffer.alloc(1024) } };
          throw new RegistryError("internal", "INTERNAL", "the disk is gone");
        },
      },
      changes: {
        listChanges: async () => ({ changes: [], next: "here", more: false }),
        watchHead: async function* () {},
      },
    });
  });
  afterAll(async () => {
    held.resolve();
    await stack.close();
  });
  const head = (path: string, more = ""): string => `GET ${path} HTTP/1.1\r\nhost: a\r\n${more}\r\n`;
  const told = () => scrape(stack, `${count}{method="GET",endpoint="/`);

  it("are told of where their client went first, and where the registry broke them off", async () => {
    const socket = await rawSocket(stack.url);
    socket.write(head("/api/v1/plugins/slow"));
    const flight = "registry_api_requests_in_flight";
    await expect.poll(() => scrape(stack, flight)).toEqual({ [flight]: 2 });
    socket.destroy();
    await say(stack.url, head("/plugins/pump/1.0.0/pump-1.0.0.zip"));
    await expect.poll(told).toMatchObject({
      [requests("GET", "/api/v1/plugins/{name}", 499)]: 1,
      [requests("GET", "/plugins/{name}/{version}/{file}", 500)]: 1,
    });
  });

  it("are told of once, with what was answered, where they broke in the middle", async () => {
    const login = `POST /api/v1/auth/login HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n`;
    await say(stack.url, `${login}transfer-encoding: chunked\r\n\r\nno length\r\n`);
    const all = () => scrape(stack, `${count}{method="POST"`);
    await expect.poll(all).toEqual({ [requests("POST", "/api/v1/auth/login", 400)]: 1 });
    expect(await scrape(stack, requests("other", "unmatched", 400))).toEqual({});
  });

  it("are told of when they begin where they go on for as long as somebody listens", async () => {
    const series = requests("GET", "/api/v1/changes", 200);
    const socket = await rawSocket(stack.url);
    socket.write(head("/api/v1/changes?since=now", "accept: text/event-stream\r\n"));
    await expect.poll(told).toMatchObject({ [series]: 1 });
    socket.destroy();
    await say(stack.url, head("/api/v1/nothing", "connection: close\r\n"));
    const after = await told();
    expect([after[series], after[requests("GET", "/api/v1/changes", 499)]]).toEqual([1, undefined]);
  });
});

describe("what a gateway tells", () => {
  let stack: FakeStack;
  beforeAll(async () => {
    stack = await startFakeStack(neighbours, { RATE_LIMIT_WRITES: 1 });
  });
  afterAll(() => stack.close());

  it("is what it had in memory, what it sent, and what is to be counted", async () => {
    const path = "/plugins/pump/1.0.0/pump-1.0.0.zip";
    const get = async (headers: Record<string, string> = {}): Promise<number> =>
      (await (await fetch(stack.url + path, { headers })).arrayBuffer()).byteLength;
    expect([await get(), await get(), await get({ range: "bytes=0-99" })]).toEqual([5000, 5000, 100]);
    await (await fetch(stack.url + path, { method: "HEAD" })).arrayBuffer();
    expect(await scrape(stack, "registry_download_bytes_total")).toEqual({ registry_download_bytes_total: 10_100 });
    expect(await scrape(stack, "registry_cache")).toMatchObject({
      'registry_cache_hits_total{cache="answers"}': 1,
      'registry_cache_hits_total{cache="packages"}': 1,
      'registry_cache_misses_total{cache="packages"}': 1,
      'registry_cache_entries{cache="packages"}': 1,
      'registry_cache_bytes{cache="packages"}': 5000,
      'registry_cache_entries{cache="answers"}': 1,
    });
    expect(await scrape(stack, "registry_usage_spooled_total")).toEqual({
      'registry_usage_spooled_total{type="download"}': 2,
      'registry_usage_spooled_total{type="search"}': 0,
    });
    const pending = ["registry_usage_pending_bytes", "registry_usage_oldest_pending_seconds"];
    await expect.poll(() => scrape(stack, "registry_usage_pending_bytes")).toEqual({ [pending[0] ?? ""]: 0 });
    expect(await scrape(stack, pending[1] ?? "")).toEqual({ [pending[1] ?? ""]: 0 });
    expect(await scrape(stack, "registry_usage_dropped_total")).toEqual({ registry_usage_dropped_total: 0 });
  });

  it("is what it refused since there was too much of it", async () => {
    const login = async (): Promise<number> =>
      (
        await fetch(`${stack.url}/api/v1/auth/login`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: '{"username":"a","password":"b"}',
        })
      ).status;
    await login();
    expect([await login(), await login()]).toEqual([429, 429]);
    expect(await scrape(stack, "registry_rate_limited_total")).toEqual({
      'registry_rate_limited_total{limit="writes"}': 2,
    });
  });

  it("names no plugin: analytics alone tells of downloads", async () => {
    const text = await (await fetch(`${stack.url}/metrics`)).text();
    expect(text).not.toContain("registry_plugin_downloads_total");
    expect(text).not.toContain("pump");
  });
});
