import { createHash, randomBytes } from "node:crypto";
import { ReleaseState, Visibility } from "@registry/contracts/catalog";
import type { ReadBlobRequest } from "@registry/contracts/storage";
import { RegistryError, unavailable } from "@registry/domain";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { type FakeStack, startFakeStack } from "./testing/fakes.ts";
import { rawSocket } from "./testing/http.ts";

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const small = randomBytes(5000);
const large = randomBytes(3 * 1024 * 1024 + 17);
/** More than the sockets' own buffers take. */
const huge = Buffer.alloc(48 * 1024 * 1024, "x");
const byDigest = new Map([small, large, huge].map((bytes) => [sha256(bytes), bytes]));
const bytesOf = (name: string): Buffer => ({ large, huge })[name] ?? small;
const chunkBytes = 256 * 1024;

/** How the storage of these tests behaves from the given byte on. */
type Trouble = { readonly at: number; readonly times: number; readonly how: "fails" | "ends" | "hangs" };

let stack: FakeStack;
const counted: string[] = [];
let trouble: Trouble | undefined;
let open = 0;
let opened = 0;
/** Bytes that storage handed out. */
let given = 0;

async function* readBlob({ sha256: digest, offset, length }: ReadBlobRequest, signal: AbortSignal) {
  const bytes = byDigest.get(digest);
  if (bytes === undefined) throw new RegistryError("not_found", "BLOB_NOT_FOUND", "Blob not found");
  open += 1;
  opened += 1;
  try {
    yield { part: { $case: "header" as const, value: { size: bytes.length, sha256: digest, derived: false } } };
    const end = length === 0 ? bytes.length : Math.min(bytes.length, offset + length);
    for (let at = offset; at < end; at += chunkBytes) {
      if (trouble !== undefined && trouble.times > 0 && at + chunkBytes > trouble.at) {
        trouble = { ...trouble, times: trouble.times - 1 };
        if (trouble.how === "fails") throw unavailable("The blob store");
        if (trouble.how === "ends") return;
        await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
      }
      given += chunkBytes;
      yield { part: { $case: "chunk" as const, value: bytes.subarray(at, Math.min(end, at + chunkBytes)) } };
    }
  } finally {
    open -= 1;
  }
}

beforeAll(async () => {
  stack = await startFakeStack({
    catalog: {
      async resolveDownload({ name }) {
        const bytes = bytesOf(name);
        const release = { plugin: name, version: "1.0.0", sha256: sha256(bytes), size: bytes.length, container: "zip" };
        const visibility = name === "secret" ? Visibility.VISIBILITY_PRIVATE : Visibility.VISIBILITY_PUBLIC;
        const { RELEASE_STATE_STAGED: staged, RELEASE_STATE_PUBLISHED: open } = ReleaseState;
        return { release: { ...release, state: name === "hidden" ? staged : open }, visibility };
      },
    },
    storage: { readBlob: (request, { signal }) => readBlob(request, signal) },
    analytics: {
      async recordUsage({ downloads }) {
        counted.push(...downloads.map(({ plugin }) => plugin));
        return {};
      },
    },
  });
});
afterAll(() => stack.close());
afterEach(() => {
  trouble = undefined;
});

const urlOf = (name: string): string => `${stack.url}/plugins/${name}/1.0.0/${name}-1.0.0.zip`;

/** What was counted by the time that a marker has been: everything before it is there, too. */
async function countsOf(name: string, since: number): Promise<number> {
  const markers = counted.filter((each) => each === "small").length;
  await (await fetch(urlOf("small"))).arrayBuffer();
  await vi.waitFor(() => expect(counted.filter((each) => each === "small").length).toBeGreaterThan(markers), {
    timeout: 5000,
  });
  return counted.slice(since).filter((each) => each === name).length;
}

/** Until a number stays the same for a while. */
async function settled(read: () => number): Promise<void> {
  let before = -1;
  await vi.waitUntil(
    () => {
      const same = read() === before;
      before = read();
      return same;
    },
    { timeout: 10_000, interval: 200 },
  );
}

describe("a download", () => {
  it("carries the bytes of any range, as HTTP has them", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(6000), fc.option(fc.nat(6000)), async (start, length) => {
        const end = length === null ? "" : String(start + length);
        const response = await fetch(urlOf("small"), { headers: { range: `bytes=${start}-${end}` } });
        const body = Buffer.from(await response.arrayBuffer());
        expect(response.status).toBe(start >= small.length ? 416 : 206);
        if (start >= small.length) return;
        const expected = small.subarray(start, length === null ? small.length : start + length + 1);
        expect(body.equals(expected)).toBe(true);
        expect(response.headers.get("content-length")).toBe(String(expected.length));
        expect(response.headers.get("content-range")).toBe(
          `bytes ${start}-${start + expected.length - 1}/${small.length}`,
        );
      }),
      { numRuns: 60 },
    );
  });

  it("goes on where it stopped when storage breaks off, and is counted once", async () => {
    for (const how of ["fails", "ends"] as const) {
      const since = counted.length;
      trouble = { at: 700_000, times: 2, how };
      const response = await fetch(urlOf("large"));
      expect(sha256(Buffer.from(await response.arrayBuffer()))).toBe(sha256(large));
      expect(await countsOf("large", since)).toBe(1);
    }
  });

  it("is not counted where the release is hidden, by none of its addresses", async () => {
    const since = counted.length;
    const headers = { authorization: "Bearer publisher" };
    const asked = await fetch(`${stack.url}/api/v1/plugins/hidden/download`, { headers });
    const { download_url: signed } = (await asked.json()) as { download_url: string };
    for (const response of [
      await fetch(signed),
      await fetch(urlOf("hidden"), { headers }),
      await fetch(`${stack.url}/api/v1/plugins/hidden/download/1.0.0`, { headers }),
    ]) {
      expect([response.status, response.headers.get("cache-control")]).toEqual([200, "private, no-store"]);
      expect(sha256(Buffer.from(await response.arrayBuffer()))).toBe(sha256(small));
    }
    expect((await fetch(signed.replace("&counted=no", ""))).status).toBe(404);
    expect(await countsOf("hidden", since)).toBe(0);
  });

  it("breaks off rather than ending short, and is not counted, when storage stays away", async () => {
    const since = counted.length;
    trouble = { at: 700_000, times: 99, how: "fails" };
    const response = await fetch(urlOf("large"));
    expect(response.status).toBe(200);
    await expect(response.arrayBuffer()).rejects.toThrow();
    trouble = undefined;
    expect(await countsOf("large", since)).toBe(0);
    await vi.waitFor(() => expect(open).toBe(0));
  });

  it("is a clean answer while nothing was sent", async () => {
    trouble = { at: 0, times: 99, how: "fails" };
    const response = await fetch(urlOf("large"));
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "2"]);
    expect(await response.json()).toMatchObject({ code: "UNAVAILABLE" });
  });

  it("takes no more from storage than its reader takes, and is let go when the reader goes", async () => {
    const since = counted.length;
    const before = opened;
    given = 0;
    const socket = await rawSocket(stack.url);
    socket.pause();
    socket.write("GET /plugins/huge/1.0.0/huge-1.0.0.zip HTTP/1.1\r\nhost: a\r\n\r\n");
    await vi.waitFor(() => expect(opened).toBeGreaterThan(before));
    await settled(() => given);
    expect(given).toBeLessThan(huge.length / 2);
    socket.destroy();
    await vi.waitFor(() => expect(open).toBe(0), { timeout: 10_000 });
    expect(await countsOf("huge", since)).toBe(0);
  });

  it("is let go when the reader goes while storage hangs", async () => {
    trouble = { at: 600_000, times: 99, how: "hangs" };
    const stop = new AbortController();
    const response = await fetch(urlOf("large"), { signal: stop.signal });
    await response.body?.getReader().read();
    expect(open).toBe(1);
    stop.abort();
    await vi.waitFor(() => expect(open).toBe(0), { timeout: 10_000 });
  });

  it("of what is not public is never for shared caches, and its signed address ends", async () => {
    const asUser = { headers: { authorization: "Bearer reader" } };
    const asked = await fetch(`${stack.url}/api/v1/plugins/secret/download`, asUser);
    const { download_url: url } = (await asked.json()) as { download_url: string };
    const response = await fetch(url);
    expect(response.headers.get("cache-control")).toBe("private, no-store");
    expect(Buffer.from(await response.arrayBuffer()).equals(small)).toBe(true);
    const direct = await fetch(urlOf("secret"), asUser);
    expect(direct.headers.get("cache-control")).toBe("private, no-store");
    stack.around.clock.advance(61_000);
    expect((await fetch(url)).status).toBe(404);
  });

  it("from memory is the same to the byte and counted each time, its parts and 304 apart", async () => {
    const url = urlOf("popular");
    const since = counted.length;
    const answers: Response[] = [];
    const hits = async (): Promise<string | undefined> =>
      /^registry_cache_hits_total\{cache="answers"\} \d+$/m.exec(
        await (await fetch(`${stack.url}/metrics`)).text(),
      )?.[0];
    const before = await hits();
    while (answers.length < 3 || (await hits()) === before) {
      const response = await fetch(url);
      expect(Buffer.from(await response.arrayBuffer()).equals(small)).toBe(true);
      answers.push(response);
    }
    const [first, last] = [answers[0], answers.at(-1)].map((each) => Object.fromEntries(each?.headers ?? []));
    for (const name of ["etag", "content-type", "content-disposition", "cache-control", "x-checksum-sha256", "vary"]) {
      expect([name, last?.[name]]).toEqual([name, first?.[name]]);
    }
    expect((await fetch(url, { headers: { range: "bytes=0-9" } })).status).toBe(206);
    expect((await fetch(url, { headers: { "if-none-match": first?.etag ?? "" } })).status).toBe(304);
    expect(await countsOf("popular", since)).toBe(answers.length);
  });

  it("by HEAD has the headers and no body, and is not counted", async () => {
    const since = counted.length;
    const response = await fetch(urlOf("large"), { method: "HEAD" });
    expect(response.headers.get("content-length")).toBe(String(large.length));
    expect(await response.text()).toBe("");
    expect(await countsOf("large", since)).toBe(0);
  });
});
