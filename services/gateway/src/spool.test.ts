import { spawnSync } from "node:child_process";
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { invalid, unavailable } from "@registry/domain";
import { createLogger, createMetrics, deriveKeys, systemIds } from "@registry/kit";
import { TestClock } from "@registry/kit/testing";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { AddressHashes } from "./address-hashes.ts";
import { UsageSpool } from "./spool.ts";
import type { Use } from "./usage.ts";

let directory: string;
let taken: Use[];
let send: (uses: readonly Use[]) => Promise<void>;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "spool-"));
  taken = [];
  send = async (uses) => void taken.push(...uses);
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function open(maxBytes = 1_000_000): { spool: UsageSpool; clock: TestClock; dropped: () => Promise<number> } {
  const metrics = createMetrics();
  const log = createLogger("silent");
  const clock = new TestClock();
  const spool = new UsageSpool({
    ...{ directory, maxBytes, clock, ids: systemIds, log, metrics },
    addresses: new AddressHashes(deriveKeys("a secret for tests that is long enough"), clock),
    send: (uses) => send(uses),
    closeWithinMs: 50,
  });
  const dropped = async (): Promise<number> =>
    (await metrics.registry.getSingleMetric("registry_usage_dropped_total")?.get())?.values[0]?.value ?? 0;
  return { spool, clock, dropped };
}

const address = "203.0.113.77";
const download = (plugin: string) => ({ plugin, version: "1.0.0", user_id: 0, client: "rest" });
const plugins = (): string[] => taken.map((use) => (use.type === "download" ? use.plugin : use.query));

it("never has an address on disk or on the wire, but what stands for it on that day", async () => {
  const { spool, clock } = open();
  const hashes: (string | undefined)[] = [];
  const use = async (from: string | undefined): Promise<string> => {
    spool.download(download("a"), from);
    spool.search({ query: "q", results_count: 0, user_id: 0 }, from);
    await vi.waitFor(() => expect(readdirSync(directory)).toHaveLength(1));
    await new Promise(setImmediate);
    const written = readdirSync(directory).map((name) => readFileSync(join(directory, name), "utf8"));
    await spool.drain();
    hashes.push(...taken.splice(0).map(({ address_hash: hash }) => hash));
    return written.join();
  };
  const written = [await use(address), await use("2001:db8::1:2"), await use("2001:db8::9"), await use(undefined)];
  clock.advance(86_400_000);
  written.push(await use(address));
  expect(written.join()).not.toMatch(/203\.0\.113|2001:db8/);
  const [first, , ofNetwork, , sameNetwork, , none, , nextDay] = hashes;
  expect(first).toMatch(/^[\w-]{22}$/);
  expect(hashes[1]).toBe(first);
  expect(ofNetwork).toBe(sameNetwork);
  expect(none).toBe("");
  expect(new Set([first, ofNetwork, nextDay]).size).toBe(3);
  const replica = new AddressHashes(deriveKeys("a secret for tests that is long enough"), clock);
  expect(replica.of(address)).toBe(nextDay);
  expect(new AddressHashes(deriveKeys("another secret that is long enough"), clock).of(address)).not.toBe(nextDay);
});

it("has every use on disk before it is sent, and nothing once it was taken", async () => {
  const { spool } = open();
  spool.search({ query: "b\n{", results_count: 2, user_id: 7 }, address);
  spool.download(download("a"), address);
  const onDisk = readdirSync(directory).map((name) => readFileSync(join(directory, name), "utf8"));
  expect(onDisk.join("").trim().split("\n")).toHaveLength(2);
  await spool.drain();
  expect(plugins()).toEqual(["b\n{", "a"]);
  expect(readdirSync(directory)).toEqual([]);
  await spool.drain();
  expect(taken).toHaveLength(2);
});

it("keeps what analytics did not take, with the same ids, past the end of the process", async () => {
  const seen: string[] = [];
  send = async (uses) => {
    seen.push(...uses.map(({ id }) => id));
    throw unavailable("Analytics");
  };
  const first = open().spool;
  first.download(download("a"), address);
  first.download(download("b"), address);
  await expect(first.drain()).rejects.toThrow();
  send = async (uses) => void taken.push(...uses);
  const second = open().spool;
  second.download(download("c"), address);
  await second.drain();
  expect(plugins()).toEqual(["a", "b", "c"]);
  expect(taken.slice(0, 2).map(({ id }) => id)).toEqual(seen);
  expect(readdirSync(directory)).toEqual([]);
});

it("leaves alone what another gateway in the same directory still writes, until that one must be dead", async () => {
  const living = open().spool;
  living.download(download("a"), address);
  const { spool: other, clock } = open();
  await other.drain();
  expect(plugins()).toEqual([]);
  living.download(download("b"), address);
  await living.drain();
  expect(plugins()).toEqual(["a", "b"]);
  living.download(download("c"), address);
  clock.advance(11_000);
  await other.drain();
  expect(plugins()).toEqual(["a", "b", "c"]);
  expect(readdirSync(directory)).toEqual([]);
});

it("loses nothing to a gateway that held it for dead while analytics hung", async () => {
  const { spool: living, clock } = open();
  const { spool: other, clock: otherClock } = open();
  const hangs = Promise.withResolvers<void>();
  send = () => hangs.promise;
  living.download(download("sent"), address);
  const draining = living.drain();
  await vi.waitFor(() => expect(readdirSync(directory).join()).toMatch(/jsonl$/));
  send = async (uses) => void taken.push(...uses);
  living.download(download("taken-over"), address);
  otherClock.advance(11_000);
  await other.drain();
  expect(plugins()).toEqual(["taken-over"]);
  clock.advance(11_000);
  living.download(download("later"), address);
  hangs.resolve();
  await draining;
  await living.drain();
  expect(plugins()).toEqual(["taken-over", "later"]);
  expect(readdirSync(directory)).toEqual([]);
});

it("takes at once what a process left that is no more", async () => {
  const use = JSON.stringify({ type: "download", id: "i", time: "2026-01-01T00:00:00Z", ...download("z") });
  const { pid } = spawnSync(process.execPath, ["--version"]);
  writeFileSync(join(directory, `000000000000001-x.${pid}.open`), `${use}\n`);
  await open().spool.drain();
  expect(plugins()).toEqual(["z"]);
});

it("sends in batches of at most 1,000", async () => {
  const sizes: number[] = [];
  send = async (uses) => void sizes.push(uses.length);
  const { spool } = open();
  for (let i = 0; i < 2201; i++) spool.download(download("a"), address);
  await spool.drain();
  expect(sizes).toEqual([1000, 1000, 201]);
});

it("passes over a line that was torn, and over what is no use", async () => {
  const { spool: before } = open();
  before.download(download("a"), address);
  await before.close();
  const whole = JSON.stringify({
    type: "download",
    id: "i",
    time: "2026-01-01T00:00:00Z",
    ...download("z"),
  });
  writeFileSync(
    join(directory, "000-old.jsonl"),
    `${whole}\n{"type":"download","id":"x"}\nnull\n${whole.slice(0, 40)}`,
  );
  appendFileSync(join(directory, "ignored.txt"), "not ours");
  const { spool } = open();
  await spool.drain();
  expect(plugins()).toEqual(["a", "z"]);
  expect(readdirSync(directory)).toEqual(["ignored.txt"]);
});

it("passes over what cannot be sent, which would hold up everything behind it for ever", async () => {
  const common = { id: "i", time: "2026-01-01T00:00:00Z", user_id: 0 };
  const lines = [
    { ...common, type: "search", query: "q", results_count: 2 ** 31 },
    { ...common, type: "search", query: "q", results_count: -1 },
    { ...common, type: "download", plugin: "q", version: "1.0.0", client: { npm: 1 } },
    { ...common, type: "download", ...download("old"), client: undefined },
    { ...common, type: "search", query: "most", results_count: 2 ** 31 - 1 },
  ];
  writeFileSync(join(directory, "000-old.jsonl"), lines.map((line) => JSON.stringify(line)).join("\n"));
  await open().spool.drain();
  expect(plugins()).toEqual(["old", "most"]);
});

it("does not let one use that is refused hold up the others", async () => {
  send = async (uses) => {
    if (uses.some((use) => use.type === "download" && use.plugin === "bad"))
      throw invalid("INVALID_NAME", "plugin: bad");
    taken.push(...uses);
  };
  const { spool, dropped } = open();
  for (const name of ["a", "bad", "b"]) spool.download(download(name), address);
  await spool.drain();
  expect(plugins()).toEqual(["a", "b"]);
  expect(await dropped()).toBe(1);
  expect(readdirSync(directory)).toEqual([]);
});

it("sends what comes behind a file that cannot be read or sent, and tries that one again", async () => {
  const line = (plugin: string) =>
    JSON.stringify({ type: "download", id: plugin, time: "2026-01-01T00:00:00Z", ...download(plugin) });
  mkdirSync(join(directory, "000000000000001-unreadable.jsonl"));
  writeFileSync(join(directory, "000000000000002-failing.jsonl"), line("failing"));
  writeFileSync(join(directory, "000000000000003-fine.jsonl"), line("fine"));
  const { spool } = open();
  let failing = true;
  send = async (uses) => {
    if (failing && uses.some(({ id }) => id === "failing")) throw new Error("not foreseen");
    taken.push(...uses);
  };
  for (let i = 0; i < 3; i++) await spool.drain().catch(() => undefined);
  expect(plugins()).toEqual(["fine"]);
  failing = false;
  for (let i = 0; i < 2; i++) await spool.drain().catch(() => undefined);
  expect(plugins()).toEqual(["fine", "failing"]);
  expect(readdirSync(directory)).toEqual(["000000000000001-unreadable.jsonl"]);
});

it("counts what it cannot write down as long as it lives", async () => {
  const { spool, dropped } = open();
  rmSync(directory, { recursive: true });
  spool.download(download("a"), address);
  send = async () => {
    throw unavailable("Analytics");
  };
  await spool.drain().catch(() => undefined);
  spool.download(download("b"), address);
  send = async (uses) => void taken.push(...uses);
  await spool.drain();
  expect(plugins()).toEqual(["a", "b"]);
  for (let i = 0; i < 10_020; i++) spool.download(download("many"), address);
  expect(await dropped()).toBe(20);
  mkdirSync(directory);
  spool.download(download("c"), address);
  expect(readdirSync(directory)).toHaveLength(1);
  await spool.drain();
  expect(taken).toHaveLength(10_003);
  expect(await dropped()).toBe(20);
  expect(readdirSync(directory)).toEqual([]);
});

it("stays within its disk space, and says what it dropped", async () => {
  const { spool, dropped } = open(1000);
  for (let i = 0; i < 20; i++) spool.download(download("a"), address);
  expect(await dropped()).toBeGreaterThan(0);
  await spool.drain();
  expect(taken.length + (await dropped())).toBe(20);
  spool.download(download("again"), address);
  await spool.drain();
  expect(plugins()).toContain("again");
});

it("sends what is left when it closes", async () => {
  const { spool } = open();
  spool.start();
  spool.download(download("a"), address);
  await spool.close();
  expect(plugins()).toEqual(["a"]);
});

it("closes in time while analytics is slow, and the next process sends what was not taken", async () => {
  const { spool } = open();
  const late = Promise.withResolvers<void>();
  let asked = 0;
  send = () => {
    asked += 1;
    return late.promise;
  };
  spool.download(download("slow"), address);
  const draining = spool.drain().catch(() => undefined);
  await vi.waitFor(() => expect(asked).toBe(1));
  spool.download(download("later"), address);
  await spool.close();
  expect(asked).toBe(1);

  send = async (uses) => void taken.push(...uses);
  await open().spool.drain();
  expect(plugins().sort()).toEqual(["later", "slow"]);
  late.resolve();
  await draining;
  expect(asked).toBe(1);
});

it("writes the searches of one moment together, without being asked", async () => {
  const { spool } = open();
  for (let i = 0; i < 50; i++) spool.search({ query: `q${i}`, results_count: 0, user_id: 0 }, address);
  await vi.waitFor(() => expect(readdirSync(directory)).toHaveLength(1));
  await spool.drain();
  expect(plugins()).toEqual(Array.from({ length: 50 }, (_, i) => `q${i}`));
});
