import { type Plugin, PluginDetails, Visibility } from "@registry/contracts/catalog";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type FakeStack, startFakeStack } from "./testing/fakes.ts";
import { rawSocket, say } from "./testing/http.ts";

let stack: FakeStack;
let title: string;
let reads: number;
/** A read waits for this after it has seen the plugin, and before it answers. */
let hold: Promise<void>;

function plugin(name: string): Partial<Plugin> {
  return { name, title, kind: "tool", visibility: Visibility.VISIBILITY_PUBLIC, latest: "1.0.0" };
}

beforeEach(async () => {
  title = "first";
  reads = 0;
  hold = Promise.resolve();
  stack = await startFakeStack({
    catalog: {
      async getPlugin({ name }) {
        reads += 1;
        const details = PluginDetails.fromPartial({ plugin: plugin(name), versions: ["1.0.0"] });
        await hold;
        return { details };
      },
      async searchPlugins() {
        reads += 1;
        return { plugins: [plugin("pump")], total: 1 };
      },
      async updatePlugin({ name, title: changed }) {
        title = changed ?? title;
        return { plugin: plugin(name) };
      },
    },
  });
  await vi.waitFor(async () => {
    const ready = await fetch(`${stack.url}/ready`);
    expect(await ready.json()).toMatchObject({ checks: { cache: true } });
  });
});
afterEach(() => stack.close());

async function titleNow(name = "pump"): Promise<string> {
  return ((await (await fetch(`${stack.url}/api/v1/plugins/${name}`)).json()) as { title: string }).title;
}

/** Reads until an answer came from memory. */
async function warm(): Promise<void> {
  await vi.waitFor(async () => {
    const before = reads;
    await titleNow();
    expect(reads).toBe(before);
  });
}

describe("answers from memory", () => {
  it("spare the catalog, and are the same to the byte", async () => {
    const first = await (await fetch(`${stack.url}/api/v1/plugins/pump`)).text();
    await warm();
    const response = await fetch(`${stack.url}/api/v1/plugins/pump`);
    expect(await response.text()).toBe(first);
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    const etag = response.headers.get("etag") ?? "";
    const unchanged = await fetch(`${stack.url}/api/v1/plugins/pump`, { headers: { "if-none-match": etag } });
    expect([unchanged.status, await unchanged.text(), unchanged.headers.get("etag")]).toEqual([304, "", etag]);
  });

  it("are gone with the next answer after a change that was made here", async () => {
    await warm();
    const change = { method: "PATCH", body: '{"title":"second"}' };
    const headers = { authorization: "Bearer publisher", "content-type": "application/json" };
    expect((await fetch(`${stack.url}/api/v1/plugins/pump`, { ...change, headers })).status).toBe(200);
    expect(await titleNow()).toBe("second");
  });

  it("are gone as soon as a change elsewhere is announced", async () => {
    await warm();
    title = "second";
    expect(await titleNow()).toBe("first");
    stack.changes.announce("pump");
    await vi.waitFor(async () => expect(await titleNow()).toBe("second"));
  });

  it("stay when something else changes, lists apart", async () => {
    await warm();
    const search = (): Promise<Response> => fetch(`${stack.url}/api/v1/search?q=pump`);
    await vi.waitFor(async () => {
      const before = reads;
      await search();
      expect(reads).toBe(before);
    });
    stack.changes.announce("valve");
    const before = reads;
    await vi.waitFor(async () => {
      await search();
      expect(reads).toBeGreaterThan(before);
    });
    const after = reads;
    await titleNow();
    expect(reads).toBe(after);
  });

  it.each([
    ["another replica speaks", () => stack.changes.send({ names: [], instance: "replica-2", sequence: 0 })],
    ["a change was missed", () => stack.changes.send({ names: ["valve"], instance: "replica-1", sequence: 99 })],
  ])("are not believed when %s", async (_what, happens) => {
    await warm();
    title = "second";
    happens();
    await vi.waitFor(async () => expect(await titleNow()).toBe("second"));
  });

  it("are not believed while no heartbeat comes, and the gateway is not ready then", async () => {
    await warm();
    title = "second";
    vi.spyOn(stack.changes, "beat").mockImplementation(() => undefined);
    stack.around.clock.advance(3001);
    expect(await titleNow()).toBe("second");
    title = "third";
    expect(await titleNow()).toBe("third");
    stack.around.clock.advance(10_001);
    const ready = await fetch(`${stack.url}/ready`);
    expect([ready.status, await ready.json()]).toMatchObject([503, { status: "not ready", checks: { cache: false } }]);
  });

  it("never come from a read that began before a change and ended after it", async () => {
    let release = (): void => undefined;
    hold = new Promise((resolve) => {
      release = resolve;
    });
    const slow = titleNow();
    await vi.waitFor(() => expect(reads).toBe(1));
    title = "second";
    stack.changes.announce("pump");
    hold = Promise.resolve();
    await vi.waitFor(async () => expect(await titleNow()).toBe("second"));
    release();
    expect(await slow).toBe("first");
    expect(await titleNow()).toBe("second");
  });

  it("are for nobody with a credential, and no credential's answer is kept", async () => {
    const asUser = (): Promise<Response> =>
      fetch(`${stack.url}/api/v1/plugins/pump`, { headers: { authorization: "Bearer reader" } });
    for (let i = 0; i < 3; i++) {
      const response = await asUser();
      expect(response.headers.get("cache-control")).toContain("private");
    }
    expect(reads).toBe(3);
    await warm();
    const before = reads;
    await asUser();
    expect(reads).toBe(before + 1);
    const bad = await fetch(`${stack.url}/api/v1/plugins/pump`, { headers: { authorization: "Bearer wrong" } });
    expect([bad.status, await bad.json()]).toMatchObject([401, { detail: "Invalid authentication" }]);
  });
});

it("ends work under way when it closes", async () => {
  let release = (): void => undefined;
  hold = new Promise((resolve) => {
    release = resolve;
  });
  const get = (path: string, more = ""): string => `GET ${path} HTTP/1.1\r\nhost: a\r\n${more}\r\n`;
  const slow = say(stack.url, get("/api/v1/plugins/pump"), /\r\n\r\n\{.*\}$/s);
  await vi.waitFor(() => expect(reads).toBe(1));
  const other = await rawSocket(stack.url);
  let heard = "";
  other.on("data", (bytes) => {
    heard += bytes;
  });
  other.write(get("/api/v1/plugins/pump").slice(0, 20));
  await vi.waitFor(() => expect(other.bytesWritten).toBe(20));
  const closed = stack.gateway.close();
  await vi.waitFor(() => expect(fetch(`${stack.url}/health`)).rejects.toThrow());
  other.write(get("/api/v1/plugins/pump").slice(20).replace("host", "x: y\r\nhost"));
  release();
  expect(await slow).toMatch(/^HTTP\/1\.1 200 /);
  await vi.waitFor(() => expect(heard).toMatch(/^HTTP\/1\.1 200 .*connection: close/is));
  await closed;
});

it("goes on serving once the process is about to end, but keeps no connection and says that it is not ready", async () => {
  const get = (path: string): string => `GET ${path} HTTP/1.1\r\nhost: a\r\n\r\n`;
  const ends = /^HTTP\/1\.1 200 .*connection: close/is;
  expect(await say(stack.url, get("/api/v1/plugins/pump"), /\r\n\r\n\{.*\}$/s)).not.toMatch(ends);
  await warm();
  stack.readiness.end();
  const ready = await fetch(`${stack.url}/ready`);
  expect([ready.status, await ready.json()]).toMatchObject([503, { status: "not ready", checks: { process: false } }]);
  // From memory, from the catalog, and with nothing to say: each until the server closes.
  const before = reads;
  expect(await say(stack.url, get("/api/v1/plugins/pump"))).toMatch(ends);
  expect(reads).toBe(before);
  expect(await say(stack.url, get("/api/v1/plugins/valve"))).toMatch(ends);
  expect(await say(stack.url, get("/health"))).toMatch(ends);
});
