import type { Bus, Event } from "@registry/bus";
import { decodeEvent } from "@registry/contracts/events";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { eventSized } from "./events.ts";
import {
  composeReplica,
  download,
  gateway,
  openWorld,
  type Replica,
  startReplica,
  type World,
} from "./testing/harness.ts";

let world: World;
let replica: Replica;
const extra: Replica[] = [];
beforeEach(async () => {
  world = await openWorld();
  replica = await startReplica(world);
});
afterEach(async () => {
  for (const other of [replica, ...extra.splice(0)]) await other.close();
  await world.close();
});

const downloads = (counts: { readonly [plugin: string]: number }, tag = "") =>
  replica.analytics.recordUsage(
    {
      downloads: Object.entries(counts).flatMap(([plugin, count]) =>
        Array.from({ length: count }, (_, i) => download(`${tag}${plugin}${i}`, plugin)),
      ),
    },
    gateway,
  );
const namesOf = (plugins: readonly { plugin: string }[]): string[] => plugins.map(({ plugin }) => plugin);

describe("changed totals", () => {
  const heard = async (): Promise<{ events: Event[]; stop: () => Promise<void> }> => {
    const events: Event[] = [];
    const tap = await world.bus.tap(["registry.analytics.downloads.counted"], (event) => events.push(event));
    return { events, stop: () => tap.close() };
  };
  const totalsIn = (events: readonly Event[]) =>
    events.flatMap(({ data }) => decodeEvent("registry.analytics.downloads.counted", data).totals);

  it("are told on the bus with those of each version, in few events", async () => {
    const { events, stop } = await heard();
    await downloads({ p: 2 });
    await replica.analytics.recordUsage({ downloads: [download("v", "p", "2.0.0-rc.1"), download("w", "q")] }, gateway);
    await vi.waitFor(() => expect(events).toHaveLength(1), { timeout: 5000 });
    expect(totalsIn(events).sort((a, b) => (a.plugin < b.plugin ? -1 : 1))).toEqual([
      { plugin: "p", downloads: 3, versions: { "1.0.0": 2, "2.0.0-rc.1": 1 } },
      { plugin: "q", downloads: 1, versions: { "1.0.0": 1 } },
    ]);
    await stop();
  });

  it("are told after a restart where the bus was away, and once only", async () => {
    const away = { ...world.bus, publish: () => Promise.reject(new Error("the bus is away")) };
    const bus = Object.assign(Object.create(world.bus), away);
    const cutOff = await composeReplica(world, { bus });
    await replica.close();
    await cutOff.analytics.recordUsage({ downloads: [download("1", "p")] }, gateway);
    await cutOff.close();
    const { events, stop } = await heard();
    replica = await startReplica(world);
    await vi.waitFor(() => expect(totalsIn(events)).toMatchObject([{ plugin: "p", downloads: 1 }]), { timeout: 5000 });
    const again = await startReplica(world);
    extra.push(again);
    await again.analytics.recordUsage({ downloads: [download("2", "q")] }, gateway);
    await vi.waitFor(() => expect(namesOf(totalsIn(events))).toContain("q"), { timeout: 5000 });
    expect(namesOf(totalsIn(events))).toEqual(["p", "q"]);
    await stop();
  });

  it("are told again where something was counted while they were told", async () => {
    const told: number[] = [];
    const publish = async (event: Event): Promise<void> => {
      told.push(...totalsIn([event]).map((total) => total.downloads));
      if (told.length === 1) await replica.analytics.recordUsage({ downloads: [download("2", "p")] }, gateway);
    };
    const [subscribe, tap] = [world.bus.subscribe.bind(world.bus), world.bus.tap.bind(world.bus)];
    const generation = () => world.bus.generation();
    const bus = Object.assign(Object.create(world.bus), { publish, subscribe, tap, generation });
    await replica.close();
    replica = await composeReplica(world);
    const teller = await composeReplica(world, { bus });
    extra.push(teller);
    await teller.analytics.recordUsage({ downloads: [download("1", "p")] }, gateway);
    await vi.waitFor(() => expect(told).toEqual([1]), { timeout: 5000 });
    await teller.service.start();
    await vi.waitFor(() => expect(told).toEqual([1, 2]), { timeout: 5000 });
  });

  it("are all told again where the bus may have lost what it had taken, once for all replicas", async () => {
    let generation = "first";
    const told: string[] = [];
    const bus: Bus = Object.assign(Object.create(world.bus), {
      publish: async (event: Event) => void told.push(...namesOf(totalsIn([event]))),
      generation: async () => generation,
      subscribe: world.bus.subscribe.bind(world.bus),
      tap: world.bus.tap.bind(world.bus),
    });
    const next = async (): Promise<Replica> => {
      extra.push(await startReplica(world, { bus }));
      return extra.at(-1) as Replica;
    };
    await replica.close();
    replica = await next();
    await downloads({ p: 2, q: 1 });
    await vi.waitFor(() => expect(told.sort()).toEqual(["p", "q"]), { timeout: 5000 });
    generation = "second";
    await next();
    await vi.waitFor(() => expect(told.sort()).toEqual(["p", "p", "q", "q"]), { timeout: 5000 });
    replica = await next();
    await downloads({ r: 1 });
    await vi.waitFor(() => expect(told).toContain("r"), { timeout: 5000 });
    expect(told.sort()).toEqual(["p", "p", "q", "q", "r"]);
  });

  it("of a plugin with very many versions fit several events", () => {
    const place = { _id: "plugin|p", level: "plugin", plugin: "p", up: [] } as const;
    const versions = Array.from({ length: 4500 }, (_, i) => ({ ...place, version: `1.0.${i}`, count: 1 }));
    const parts = eventSized([
      { total: { ...place, count: 4500 }, versions },
      { total: { ...place, plugin: "q", count: 0 }, versions: [] },
    ]);
    const told = parts.flat();
    expect(told.map(({ plugin, downloads: count }) => [plugin, count])).toEqual([
      ["p", 4500],
      ["p", 4500],
      ["p", 4500],
      ["q", 0],
    ]);
    expect(new Set(told.flatMap(({ versions: some }) => Object.keys(some))).size).toBe(4500);
    for (const part of parts) expect(JSON.stringify(part).length).toBeLessThan(256 * 1024);
  });
});
