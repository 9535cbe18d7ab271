import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import type { Download } from "@registry/contracts/analytics";
import { ReleaseState, Visibility } from "@registry/contracts/catalog";
import { Packing, type ReadBlobRequest } from "@registry/contracts/storage";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { clientKind } from "./client-kind.ts";
import { type FakeStack, startFakeStack } from "./testing/fakes.ts";
import { rawSocket } from "./testing/http.ts";

const small = randomBytes(5000);
const large = randomBytes(2 * 1024 * 1024);
const bytesOf = (name: string): Buffer => (name === "large" ? large : small);
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

let stack: FakeStack;
const counted: Download[] = [];
const searched: string[] = [];

async function* readBlob({ sha256: digest, offset, length, packing }: ReadBlobRequest) {
  const bytes = digest === sha256(large) ? large : small;
  const derived = packing !== Packing.PACKING_ORIGINAL;
  yield { part: { $case: "header" as const, value: { size: bytes.length, sha256: sha256(bytes), derived } } };
  const end = length === 0 ? bytes.length : offset + length;
  for (let at = offset; at < end; at += 256 * 1024) {
    yield { part: { $case: "chunk" as const, value: bytes.subarray(at, Math.min(end, at + 256 * 1024)) } };
  }
}

beforeAll(async () => {
  stack = await startFakeStack({
    catalog: {
      async resolveDownload({ name }) {
        const bytes = bytesOf(name);
        const { RELEASE_STATE_PUBLISHED: state } = ReleaseState;
        const { VISIBILITY_PRIVATE: secret, VISIBILITY_PUBLIC: open } = Visibility;
        return {
          release: {
            plugin: name,
            version: "1.0.0",
            sha256: sha256(bytes),
            size: bytes.length,
            container: "zip",
            state,
          },
          visibility: name.startsWith("secret") ? secret : open,
        };
      },
      async searchPlugins() {
        return { plugins: [], details: [], total: 0 };
      },
    },
    storage: { readBlob },
    analytics: {
      async recordUsage({ downloads, searches }) {
        counted.push(...downloads);
        searched.push(...searches.map(({ query }) => query));
        return {};
      },
    },
  });
});
afterAll(() => stack.close());

const original = (name: string): string => `/plugins/${name}/1.0.0/${name}-1.0.0.zip`;
const derived = (name: string): string => `/plugins/${name}/1.0.0/${name}-1.0.0.tar.gz`;
const folded = (name: string): string => `/api/v1/plugins/${name}/download/1.0.0`;
const get = async (path: string, init: RequestInit = {}): Promise<Response> => {
  const response = await fetch(path.startsWith("http") ? path : stack.url + path, init);
  await response.arrayBuffer();
  return response;
};

let markers = 0;
/** The downloads of a plugin that were counted by the time that a later one was. */
async function countedOf(name: string): Promise<Download[]> {
  const marker = `marker-${++markers}`;
  await get(original(marker));
  await vi.waitFor(() => expect(counted.some(({ plugin }) => plugin === marker)).toBe(true), { timeout: 10_000 });
  return counted.filter(({ plugin }) => plugin === name);
}

describe.each([
  ["the bytes as uploaded", original],
  ["the other packing, derived", derived],
  ["the packing under one folder", folded],
])("%s", (title, pathOf) => {
  const stem = title.replace(/[^a-z]+/g, "-");

  it("count once for each complete answer, from memory as well, and for nothing else", async () => {
    const name = `${stem}-all`;
    const path = pathOf(name);
    const first = await get(path);
    const etag = first.headers.get("etag") ?? "";
    expect((await get(path, { method: "HEAD" })).status).toBe(200);
    expect((await get(path, { headers: { "if-none-match": etag } })).status).toBe(304);
    expect((await get(path, { headers: { range: "bytes=0-99" } })).status).toBe(206);
    expect((await get(path, { headers: { range: "bytes=0-" } })).status).toBe(206);
    expect((await get(path, { headers: { range: "bytes=100-", "if-range": etag } })).status).toBe(206);
    expect((await get(path, { headers: { range: "bytes=9999999-" } })).status).toBe(416);
    expect(await countedOf(name)).toHaveLength(1);
    // A part of other bytes than these is answered with all of them.
    expect((await get(path, { headers: { range: "bytes=100-", "if-range": '"else"' } })).status).toBe(200);
    for (let i = 0; i < 5; i++) expect((await get(path)).status).toBe(200);
    const all = await countedOf(name);
    expect(all).toHaveLength(7);
    expect(new Set(all.map(({ id }) => id)).size).toBe(7);
    expect(new Set(all.map(({ version }) => version))).toEqual(new Set(["1.0.0"]));
  });

  it("say by whom, without saying where from", async () => {
    const name = `${stem}-by`;
    const agents = ["npm/10.8.2 node/v24", "pip/24.0 {}", "Mozilla/5.0 (X11)", "curl/8.5.0"];
    for (const agent of [...agents, ...agents]) await get(pathOf(name), { headers: { "user-agent": agent } });
    await get(pathOf(name), { headers: { authorization: "Bearer reader" } });
    const all = await countedOf(name);
    const own = pathOf === folded ? Array(4).fill("agenticraft") : ["npm", "pip", "browser", "rest"];
    expect(all.slice(0, 8).map(({ client }) => client)).toEqual([...own, ...own]);
    expect(all.map(({ userId }) => userId)).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 3]);
    expect(new Set(all.map(({ addressHash }) => addressHash)).size).toBe(1);
    expect(all[0]?.addressHash).toMatch(/^[\w-]{22}$/);
    expect(JSON.stringify(all)).not.toContain("127.0.0.1");
  });
});

describe("a signed address", () => {
  it("counts when it is used and not when it is given out, as used by whom it was made for", async () => {
    const headers = { authorization: "Bearer reader" };
    const asked = await fetch(`${stack.url}/api/v1/plugins/secret/download`, { headers });
    const { download_url: url } = (await asked.json()) as { download_url: string };
    expect(await countedOf("secret")).toEqual([]);
    await get(url, { method: "HEAD" });
    await get(url, { headers: { range: "bytes=0-9" } });
    expect(await countedOf("secret")).toEqual([]);
    await get(url);
    expect(await countedOf("secret")).toMatchObject([{ userId: 3, client: "rest" }]);
  });
});

describe("what was looked for", () => {
  it("is told each time, from memory as well, without what looks like a credential", async () => {
    const token = `acu_${"aB3".repeat(14)}`;
    for (const path of ["search?q", "search?q", "plugins?query"]) {
      await get(`/api/v1/${path}=${encodeURIComponent(`weather ${token}`)}`);
    }
    await countedOf("nothing");
    expect(searched).toEqual(["weather [secret]", "weather [secret]", "weather [secret]"]);
  });
});

describe("a connection that is reset", () => {
  async function readAll(): Promise<void> {
    const socket = await rawSocket(stack.url);
    socket.write(`GET ${original("large")} HTTP/1.1\r\nhost: a\r\n\r\n`);
    let read = 0;
    for await (const chunk of socket) {
      read += (chunk as Buffer).length;
      if (read >= large.length) break;
    }
    const closed = once(socket, "close").catch(() => undefined);
    socket.resetAndDestroy();
    await closed;
  }

  it("after the last byte counts", async () => {
    const before = (await countedOf("large")).length;
    await readAll();
    expect(await countedOf("large")).toHaveLength(before + 1);
  });
});

describe("kinds of client", () => {
  it.each([
    ["AgentiCraft-Registry-Client/1.0", "agenticraft"],
    ["agentos-installer/2", "agentos"],
    ["npm/11.0.0 node/v24.0.0 linux x64", "npm"],
    ["pnpm/9.1.0", "npm"],
    ["uv/0.4.1", "pip"],
    ["git/2.43.0", "git"],
    ["some-mcp client", "mcp"],
    ["Mozilla/5.0 (Macintosh)", "browser"],
    ["", "rest"],
    ["x".repeat(100_000), "rest"],
    [undefined, "rest"],
  ] as const)("%s", (agent, kind) => {
    expect(clientKind("rest", agent)).toBe(kind);
    expect(clientKind("agenticraft", agent)).toBe("agenticraft");
  });
});
