import { get } from "node:http";
import type { Change, ListChangesRequest } from "@registry/contracts/changes";
import { RegistryError } from "@registry/domain";
import { activeTraceparent, type CallContext } from "@registry/kit";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { GatewayConfig } from "./config.ts";
import { type FakeStack, startFakeStack } from "./testing/fakes.ts";

/** A feed that the test appends to; cursors are counts. */
class FakeFeed {
  readonly changes: Change[] = [];
  readonly asked: { readonly request: ListChangesRequest; readonly caller: string }[] = [];
  away = false;
  /** As the real one has them: none comes twice. */
  sealed = 0;
  /** Happens when a list was read, and before it is answered. */
  meanwhile: (() => void) | undefined;
  #wake = (): void => undefined;

  append(plugin: string): void {
    const cursor = String(this.changes.length + 1);
    this.changes.push({
      id: `e${cursor}`,
      type: "release.published",
      plugin,
      version: "1.0.0",
      time: new Date(0),
      sha256: "",
      cursor,
    });
    this.#wake();
  }

  async list(request: ListChangesRequest, { caller }: CallContext) {
    this.asked.push({ request, caller: caller.type === "user" ? caller.username : caller.type });
    if (this.away) throw new RegistryError("unavailable", "UNAVAILABLE", "away");
    if (request.since === "old") throw new RegistryError("gone", "CURSOR_EXPIRED", "Read everything anew");
    const from = request.since === "now" ? this.changes.length : Math.trunc(Number(request.since));
    const changes = this.changes.slice(from, from + request.limit);
    const next = from + changes.length;
    const seal = this.sealed === 0 ? "" : `.${this.sealed++}`;
    const answer = { changes, next: `${next}${seal}`, more: next < this.changes.length };
    const { meanwhile } = this;
    this.meanwhile = undefined;
    meanwhile?.();
    if (meanwhile !== undefined) await new Promise((resolve) => setTimeout(resolve, 50));
    return answer;
  }

  async *watch(signal: AbortSignal) {
    let told = -1;
    while (!signal.aborted) {
      yield { head: told === this.changes.length ? "" : String(this.changes.length) };
      told = this.changes.length;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 1000);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
        signal.addEventListener("abort", this.#wake);
      });
    }
  }
}

let stack: FakeStack;
let feed: FakeFeed;
/** The trace that the feed is watched as a part of. */
let watchedFor: string | undefined;
const leaving: AbortController[] = [];
const start = async (config: Partial<GatewayConfig> = {}): Promise<void> => {
  feed = new FakeFeed();
  const changes = {
    listChanges: (request: ListChangesRequest, context: CallContext) => feed.list(request, context),
    watchHead: (_request: unknown, { signal }: CallContext) => {
      watchedFor = activeTraceparent();
      return feed.watch(signal);
    },
  };
  stack = await startFakeStack({ changes }, config);
};
afterEach(async () => {
  for (const leave of leaving.splice(0)) leave.abort();
  await stack.close();
});

interface Stream {
  readonly status: number;
  readonly type: string | undefined;
  heard(): string;
  readonly ended: Promise<void>;
  leave(): void;
}

function open(since: string, headers: Record<string, string> = {}): Promise<Stream> {
  const leave = new AbortController();
  leaving.push(leave);
  const asked = get(`${stack.url}/api/v1/changes?since=${since}`, {
    agent: false,
    headers: { accept: "text/event-stream", ...headers },
    signal: leave.signal,
  });
  return new Promise((resolve, reject) => {
    asked.once("error", reject).once("response", (response) => {
      let text = "";
      response.on("data", (chunk: Buffer) => {
        text += chunk.toString();
      });
      response.on("error", () => undefined);
      const ended = new Promise<void>((end) => response.once("close", end));
      const { statusCode: status = 0, headers: told } = response;
      const type = told["content-type"];
      resolve({ status, type, heard: () => text, ended, leave: () => leave.abort() });
    });
  });
}

/** Of changes, without those that only tell the place. */
const idsIn = (text: string): string[] => [...text.matchAll(/^id: (.*)\nevent: /gm)].map(([, id = ""]) => id);

describe("the feed over HTTP", () => {
  it("is a list of pages", async () => {
    await start();
    for (const plugin of ["pump", "valve"]) feed.append(plugin);
    const answer = await fetch(`${stack.url}/api/v1/changes?since=0&limit=1`);
    expect([answer.status, await answer.json()]).toEqual([
      200,
      {
        changes: [
          {
            id: "e1",
            type: "release.published",
            plugin: "pump",
            version: "1.0.0",
            time: "1970-01-01T00:00:00.000Z",
            sha256: null,
            cursor: "1",
          },
        ],
        next: "1",
        more: true,
      },
    ]);
    const expired = await fetch(`${stack.url}/api/v1/changes?since=old`);
    expect([expired.status, await expired.json()]).toMatchObject([410, { code: "CURSOR_EXPIRED" }]);
  });

  it("is a stream that goes on, and goes on from where a reader was cut off", async () => {
    await start();
    for (const plugin of ["pump", "valve"]) feed.append(plugin);
    const stream = await open("0");
    expect([stream.status, stream.type]).toEqual([200, "text/event-stream; charset=utf-8"]);
    await vi.waitFor(() => expect(idsIn(stream.heard())).toEqual(["1", "2"]));
    expect(stream.heard()).toContain(
      'id: 1\nevent: release.published\ndata: {"id":"e1","type":"release.published","plugin":"pump","version":"1.0.0"',
    );
    feed.append("crank");
    await vi.waitFor(() => expect(idsIn(stream.heard())).toEqual(["1", "2", "3"]));
    stream.leave();
    await stream.ended;
    feed.append("lever");
    const again = await open("0", { "last-event-id": "3" });
    await vi.waitFor(() => expect(idsIn(again.heard())).toEqual(["4"]));
  });

  it.each([
    ["text/event-stream;q=0.9", true],
    ["Text/Event-Stream", true],
    ["text/event-stream, application/json", true],
    ["application/json;q=0.5, text/event-stream;charset=utf-8;q=0.9", true],
    ["*/*;q=0.1, text/event-stream", true],
    ["application/json, text/event-stream;q=0.5", false],
    ["application/json, */*;q=0.1, text/event-stream;q=0.5", false],
    ["text/event-stream;q=0", false],
    ["text/event-stream;q=0.000, */*", false],
    ["text/event-streams", false],
    ["text/*", false],
    ["*/*", false],
    ["", false],
  ])("is a stream for those who want one: %s", async (accept, streams) => {
    await start();
    const { type } = await open("now", { accept });
    expect(type).toBe(streams ? "text/event-stream; charset=utf-8" : "application/json; charset=utf-8");
  });

  it("answers with a problem where the stream cannot begin", async () => {
    await start();
    const expired = await open("old");
    expect([expired.status, expired.type]).toEqual([410, "application/problem+json; charset=utf-8"]);
    expect((await open("0", { authorization: "Bearer nobody" })).status).toBe(401);
  });

  it("asks in the caller's name, and ends when the credential does", async () => {
    await start();
    const stream = await open("now", { authorization: "Bearer reader" });
    feed.append("pump");
    await vi.waitFor(() => expect(idsIn(stream.heard())).toEqual(["1"]));
    expect(new Set(feed.asked.map(({ caller }) => caller))).toEqual(new Set(["reader"]));
    stack.withdrawn.add("reader");
    stack.around.clock.advance(61_000);
    feed.append("valve");
    await stream.ended;
    expect(idsIn(stream.heard())).toEqual(["1"]);
  });

  it("tells what happened while its first answer was under way", async () => {
    await start();
    // Somebody else's stream has the gateway hear of everything already.
    const other = await open("now");
    feed.append("pump");
    await vi.waitFor(() => expect(other.heard()).toContain('"pump"'));
    feed.meanwhile = () => feed.append("valve");
    const stream = await open("now");
    await vi.waitFor(() => expect(stream.heard()).toContain('"valve"'), { timeout: 5000 });
  });

  it("says at once where it begins, so that a reader that is cut off early misses nothing", async () => {
    await start();
    feed.append("pump");
    const stream = await open("now");
    await vi.waitFor(() => expect(stream.heard()).toBe("retry: 2000\nid: 1\n\n"));
    stream.leave();
    await stream.ended;
    feed.append("valve");
    const again = await open("now", { "last-event-id": "1" });
    await vi.waitFor(() => expect(again.heard()).toContain('"valve"'));
  });

  it("beats where nothing happens, with the place that it has come to", async () => {
    await start();
    const stream = await open("now");
    await vi.waitFor(() => expect(stream.heard()).toContain("retry:"));
    stack.around.clock.advance(15_000);
    await vi.waitFor(() => expect(stream.heard()).toContain(":\nid: 0\n\n"), { timeout: 5000 });
  });

  it("beats with another cursor each time, which would tell of what is hidden if it were new only then", async () => {
    await start();
    feed.sealed = 1;
    const stream = await open("now");
    const places = (): string[] => [...stream.heard().matchAll(/^id: (.*)$/gm)].map(([, id = ""]) => id);
    for (const beats of [1, 2, 3]) {
      await vi.waitFor(() => expect(places().length).toBe(beats), { timeout: 5000 });
      stack.around.clock.advance(15_000);
    }
    expect(new Set(places()).size).toBe(3);
    expect(places().map((place) => place.split(".")[0])).toEqual(["0", "0", "0"]);
  });

  it("waits for a feed that is away", async () => {
    await start();
    const stream = await open("now");
    await vi.waitFor(() => expect(stream.heard()).toContain("retry:"));
    feed.away = true;
    feed.append("pump");
    const asked = feed.asked.length;
    await vi.waitFor(() => expect(feed.asked.length).toBeGreaterThan(asked));
    feed.away = false;
    await vi.waitFor(() => expect(idsIn(stream.heard())).toEqual(["1"]), { timeout: 5000 });
  });

  it("has room for so many streams, and ends them all when the gateway stops", async () => {
    await start({ LIMIT_STREAMS: 3, LIMIT_STREAMS_PER_ADDRESS: 2 });
    const [first, second, third] = [await open("now"), await open("now"), await open("now")];
    expect([first.status, second.status, third.status]).toEqual([200, 200, 429]);
    first.leave();
    await vi.waitFor(async () => expect((await open("now")).status).toBe(200));
    await stack.gateway.close();
    await second.ended;
  });

  it("is served by a watch that is no part of the trace of whoever came first, since it is everybody's", async () => {
    await start();
    watchedFor = "nothing yet";
    await open("now", { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" });
    await vi.waitFor(() => expect(watchedFor).toBeUndefined());
  });

  it("has a line in the access log when it has ended, with what was sent", async () => {
    await start();
    const stream = await open("now");
    feed.append("pump");
    await vi.waitFor(() => expect(stream.heard()).toContain("pump"));
    expect(stack.lines).toEqual([]);
    await stack.gateway.close();
    await stream.ended;
    const [line, ...others] = stack.lines.map((text) => JSON.parse(text) as { bytes: number });
    expect([line, others]).toMatchObject([{ route: "/api/v1/changes", status: 200 }, []]);
    expect(line).not.toHaveProperty("aborted");
    expect(line?.bytes).toBeGreaterThan(stream.heard().length);
  });
});
