import { Visibility } from "@registry/contracts/catalog";
import { MaintenanceServiceDefinition } from "@registry/contracts/maintenance";
import type { Document } from "@registry/documents";
import type { Caller } from "@registry/domain";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { admin, owner, type Replica, reader, World } from "./testing/world.ts";

let world: World;
let one: Replica;
let two: Replica;
beforeEach(async () => {
  world = await World.open();
  one = await world.replica();
  two = await world.replica();
});
afterEach(() => world.close());

const analytics: Caller = { type: "service", name: "analytics" };
const maintenance = (replica: Replica) => replica.clients.of(MaintenanceServiceDefinition);
const publish = async (name: string, version = "1.0.0") => {
  const uploadId = world.upload(owner, { name, version });
  await one.client.publishRelease({ uploadId }, one.as(owner));
};
const found = async (replica: Replica, query: string) =>
  (await replica.client.searchPlugins({ query }, replica.as(reader))).plugins.map(({ name }) => name);
/** Behind everybody's back: no stamp tells of it. */
const falsify = async (name: string, title: string) => {
  const plugins = await world.documents.collection<Document & { _id: string }>({ name: "plugins", indexes: [] });
  await plugins.updateOne({ _id: name }, { $set: { title } });
};
async function rebuilt(replicas: number) {
  const { number } = await maintenance(one).rebuildSearch({}, one.as(admin));
  return await vi.waitFor(
    async () => {
      const told = await maintenance(two).getSearchRebuild({}, two.as(admin));
      expect(told).toMatchObject({ number });
      expect(told.replicas.map((each) => each.number)).toEqual(Array(replicas).fill(number));
      return told;
    },
    { timeout: 15_000 },
  );
}

describe("a rebuild of the search", () => {
  it("is done by every replica, and finds what the store says", async () => {
    await publish("pump");
    await publish("valve");
    await vi.waitFor(async () => expect(await found(two, "valve")).toEqual(["valve"]), { timeout: 5000 });
    await falsify("pump", "Turbine");
    expect(await found(one, "turbine")).toEqual([]);
    const told = await rebuilt(2);
    expect(told.replicas).toMatchObject([
      { mended: 1, plugins: 2, failure: "" },
      { mended: 1, plugins: 2, failure: "" },
    ]);
    for (const replica of [one, two]) expect(await found(replica, "turbine")).toEqual(["pump"]);
    expect((await rebuilt(2)).replicas.map(({ mended }) => mended)).toEqual([0, 0]);
    const { plugins } = await one.client.listPlugins({}, one.as(reader));
    expect(plugins.map(({ name }) => name)).toEqual(["pump", "valve"]);
    expect(world.audit.filter(({ action }) => action === "search.rebuild")).toHaveLength(2);
  });

  it("goes on while plugins are published and searched, and loses none of them", async () => {
    for (let i = 0; i < 5; i++) await publish(`early-${i}`);
    const { number } = await maintenance(one).rebuildSearch({}, one.as(admin));
    const names = Array.from({ length: 10 }, (_, i) => `late-${i}`);
    for (const name of names) {
      await publish(name);
      expect(await found(one, name)).toContain(name);
    }
    await vi.waitFor(
      async () => {
        const { replicas } = await maintenance(one).getSearchRebuild({}, one.as(admin));
        expect(replicas.map((each) => each.number)).toEqual([number, number]);
      },
      { timeout: 15_000 },
    );
    for (const name of names) expect(await found(one, name)).toContain(name);
  });

  it("says which replica is not done, until it is", async () => {
    await publish("pump");
    const numbers = async () => {
      const { replicas } = await maintenance(one).getSearchRebuild({}, one.as(admin));
      return replicas.map(({ number }) => number);
    };
    await vi.waitFor(async () => expect(await numbers()).toEqual([0, 0]), { timeout: 5000 });
    let silenced = 0;
    world.hook = ({ collection }) => {
      if (collection !== "replicas") return;
      silenced += 1;
      throw new Error("planned failure");
    };
    await maintenance(one).rebuildSearch({}, one.as(admin));
    await vi.waitFor(() => expect(silenced).toBeGreaterThan(1), { timeout: 10_000 });
    expect(await numbers()).toEqual([0, 0]);
    world.hook = undefined;
    await vi.waitFor(async () => expect(await numbers()).toEqual([1, 1]), { timeout: 10_000 });
  });

  it("asks nothing of a replica that has left, and counts the first load of one that came later", async () => {
    await publish("pump");
    await rebuilt(2);
    await one.close();
    one = await world.replica();
    const told = await maintenance(two).getSearchRebuild({}, two.as(admin));
    await vi.waitFor(async () => {
      const { replicas } = await maintenance(two).getSearchRebuild({}, two.as(admin));
      expect(replicas.map(({ number }) => number)).toEqual([told.number, told.number]);
    });
  });
});

describe("what the catalog exports", () => {
  const exported = async () => (await maintenance(one).exportPlugins({}, one.as(analytics))).plugins;

  it("says what events have told: shown, deleted and hidden releases, and whole plugins that are gone", async () => {
    await publish("pump");
    await publish("pump", "2.0.0");
    await publish("valve");
    await one.client.yankRelease({ name: "pump", version: "1.0.0", reason: "broken" }, one.as(owner));
    await one.client.deleteRelease({ name: "pump", version: "2.0.0", reason: "wrong" }, one.as(owner));
    await one.client.deletePlugin({ name: "valve", reason: "gone" }, one.as(owner));
    const [pump, valve] = await exported();
    expect(pump).toMatchObject({ name: "pump", visibility: "public" });
    expect(pump?.releases.map(({ version, shown, deleted }) => [version, shown, deleted]).sort()).toEqual([
      ["1.0.0", true, false],
      ["2.0.0", false, true],
    ]);
    expect(valve).toMatchObject({ name: "valve", visibility: "deleted" });
    const highest = Math.max(...world.events.map(({ data }) => Number((data as { revision: string }).revision)));
    expect(Math.max(pump?.revision ?? 0, valve?.revision ?? 0)).toBeGreaterThanOrEqual(highest);
    await publish("valve", "2.0.0");
    expect((await exported()).find(({ name }) => name === "valve")?.visibility).toBe("public");
    await one.client.deleteRelease({ name: "valve", version: "2.0.0", reason: "wrong" }, one.as(owner));
    expect((await exported()).find(({ name }) => name === "valve")?.visibility).toBe("hidden");
  });

  it("goes page by page, or by name", async () => {
    for (let i = 0; i < 55; i++) await publish(`plugin-${String(i).padStart(2, "0")}`);
    const service = one.as(analytics);
    const first = await maintenance(one).exportPlugins({}, service);
    const second = await maintenance(one).exportPlugins({ after: first.nextAfter }, service);
    expect([first.plugins.length, second.plugins.length, second.nextAfter]).toEqual([50, 5, ""]);
    const named = await maintenance(one).exportPlugins({ names: ["plugin-54", "no-such", "!"] }, service);
    expect(named.plugins.map(({ name }) => name)).toEqual(["plugin-54"]);
    world.clock.advance(60_000);
    const changedSince = world.clock.now();
    const change = { name: "plugin-07", visibility: Visibility.VISIBILITY_PRIVATE };
    await one.client.updatePlugin(change, one.as(owner));
    const changed = await maintenance(one).exportPlugins({ changedSince }, service);
    expect(changed.plugins).toMatchObject([{ name: "plugin-07", visibility: "private" }]);
  });
});

it("sends events of a time once more, and tells how many wait", async () => {
  await publish("pump");
  await vi.waitFor(() => expect(world.events).toHaveLength(1));
  const service = one.as(analytics);
  await vi.waitFor(async () => {
    const { outboxes } = await maintenance(one).getOutboxes({}, service);
    expect(outboxes.map(({ collection, pending }) => [collection, pending])).toEqual([
      ["plugins", 0],
      ["releases", 0],
    ]);
  });
  expect(await maintenance(one).resendEvents({ key: "wish", since: new Date(0) }, service)).toEqual({ events: 1 });
  await vi.waitFor(() => expect(world.events).toHaveLength(2), { timeout: 10_000 });
  expect(world.events[1]).toEqual({ ...world.events[0], again: { key: "wish" } });
});
