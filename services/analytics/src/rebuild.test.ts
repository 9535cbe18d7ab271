import { EventServiceDefinition } from "@registry/contracts/analytics-events";
import { decodeEvent } from "@registry/contracts/events";
import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { downloadPlaces } from "./model/rollup.ts";
import { RollupRepair } from "./store/rollup-repair.ts";
import { Rollups } from "./store/rollups.ts";
import { derived, rows } from "./testing/derived.ts";
import {
  administrator,
  as,
  composeReplica,
  download,
  gateway,
  openWorld,
  type Replica,
  type ReplicaOptions,
  search,
  type World,
} from "./testing/harness.ts";
import { deed, History } from "./testing/history.ts";
import { auditTable, StandInCatalog } from "./testing/neighbours.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

interface Setting {
  readonly world: World;
  readonly catalog: StandInCatalog;
  readonly replica: Replica;
}
async function setting(): Promise<Setting> {
  const world = await openWorld();
  open.push(world);
  const catalog = new StandInCatalog();
  return { world, catalog, replica: await start(world, catalog) };
}
async function start(
  world: World,
  catalog: StandInCatalog,
  { laterMs = 0, ...options }: ReplicaOptions & { readonly laterMs?: number } = {},
): Promise<Replica> {
  const replica = await composeReplica(world, options);
  replica.surroundings.clock.advance(laterMs);
  open.push(replica);
  replica.surroundings.host(catalog.table());
  replica.surroundings.host(auditTable([]));
  await replica.service.start();
  return replica;
}

async function rebuild(replica: Replica) {
  const events = replica.surroundings.clients.of(EventServiceDefinition);
  const number = (await events.rebuildAnalytics({}, as(replica, administrator))).rebuild?.number;
  return await vi.waitFor(
    async () => {
      const { rebuild: told } = await events.getAnalyticsRebuild({}, as(replica, administrator));
      expect(told).toMatchObject({ number, state: expect.stringMatching(/done|failed/) });
      return told;
    },
    { timeout: 20_000 },
  );
}

/** Takes away, alters or makes up documents, by numbers. */
async function damage(of: Setting, wounds: readonly number[]): Promise<number> {
  let done = 0;
  for (const wound of wounds) {
    const name = ["rollups", "rollups", "plugins", "publishes", "activities"][wound % 5] ?? "";
    const collection = await of.world.documents.collection<{ _id: string }>({ name, indexes: [] });
    const all = await collection.find({}, { sort: [["_id", 1]] });
    const victim = all[(wound >> 4) % Math.max(1, all.length)];
    if (victim === undefined) continue;
    const { _id } = victim;
    done += 1;
    if ((wound >> 3) % 2 === 0) await collection.deleteOne({ _id });
    else if (name === "rollups") await collection.updateOne({ _id }, { $set: { count: (wound % 97) + 1 } });
    else if (name === "plugins") await collection.updateOne({ _id }, { $set: { visibility: "team", revision: 9e9 } });
    else if (name === "publishes") await collection.updateOne({ _id }, { $set: { publishedAt: new Date(7) } });
    else await collection.updateOne({ _id }, { $set: { lastAt: new Date(7) } });
  }
  return done;
}

describe("a rebuild", () => {
  it("ends at what was there, whatever has happened and whatever was damaged", { timeout: 120_000 }, async () => {
    const histories = fc.array(deed, { minLength: 1, maxLength: 25 });
    let mended = 0;
    const wounds = fc.array(fc.nat({ max: 1 << 20 }), { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(histories, wounds, async (deeds, numbers) => {
        const of = await setting();
        try {
          const history = new History(of);
          for (const each of deeds) await history.do(each);
          const before = await derived(of.world);
          await damage(of, numbers);
          const told = await rebuild(of.replica);
          expect(told).toMatchObject({ state: "done", failure: "" });
          expect(await derived(of.world)).toEqual(before);
          mended += told?.mended ?? 0;
          expect((await rebuild(of.replica))?.mended).toBe(0);
        } finally {
          for (const each of open.splice(0).reverse()) await each.close();
        }
      }),
      { numRuns: 15, ...(process.env.CI === undefined ? {} : { numRuns: 60 }) },
    );
    expect(mended).toBeGreaterThan(0);
  });

  it("leaves alone what has outlived the events that it was counted from", async () => {
    const of = await setting();
    const { replica, world, catalog } = of;
    const now = replica.surroundings.clock.now().getTime();
    const downloads = Array.from({ length: 5 }, (_, i) =>
      download(`d${i}`, "p", "1.0.0", { time: new Date(now - i * hourMs) }),
    );
    await replica.analytics.recordUsage({ downloads }, gateway);
    const withoutSlices = async () => (await derived(of.world)).rollups.filter(({ level }) => level !== "slice");
    const before = await withoutSlices();
    const later = await start(world, catalog);
    later.surroundings.clock.advance(15 * dayMs);
    for (const name of ["usages", "rollups"]) {
      const collection = await world.documents.collection<{ _id: string }>({ name, indexes: [] });
      await collection.deleteMany(name === "usages" ? {} : { level: "slice" });
    }
    await replica.close();
    expect(await rebuild(later)).toMatchObject({ state: "done", mended: 0 });
    expect(await withoutSlices()).toEqual(before);
    // Sums of what is left are made anew all the same.
    const rollups = await world.documents.collection<{ _id: string }>({ name: "rollups", indexes: [] });
    const { above } = downloadPlaces("p", "1.0.0", new Date(now), "rest");
    for (const { _id, level } of above.flat())
      if (level !== "hour" && level !== "client-day") await rollups.deleteOne({ _id });
    expect((await rebuild(later))?.mendedBy.rollups).toBeGreaterThan(3);
    expect(await withoutSlices()).toEqual(before);
  });

  it("leaves it alone as well where single events are to be kept for longer from now on", async () => {
    const { world, catalog, replica } = await setting();
    const now = replica.surroundings.clock.now().getTime();
    const downloads = Array.from({ length: 20 }, (_, i) =>
      download(`d${i}`, "p", "1.0.0", { time: new Date(now - i * 9 * hourMs) }),
    );
    const searches = [search("s", "weather")];
    await replica.analytics.recordUsage({ downloads, searches }, gateway);
    await replica.close();
    // Until all of it has gone, and until half of it has.
    for (const laterMs of [5 * dayMs, 12 * dayMs]) {
      const trimming = await start(world, catalog, { laterMs });
      const oldest = trimming.surroundings.clock.now().getTime() - 9 * dayMs;
      const left = downloads.filter(({ time }) => (time?.getTime() ?? 0) >= oldest).length;
      await vi.waitFor(async () =>
        expect((await rows(world, "usages")).filter(({ plugin }) => plugin === "p")).toHaveLength(left),
      );
      await trimming.close();
      const before = await derived(world);
      const config = { USAGE_RETENTION_DAYS: 90 };
      const later = await start(world, catalog, { laterMs, config });
      expect(await rebuild(later)).toMatchObject({ state: "done", mended: 0 });
      expect(await derived(world)).toEqual(before);
      await later.close();
    }
  });

  it("has all totals told once more, since the catalog may have less than was told", async () => {
    const { world, replica } = await setting();
    const told: string[] = [];
    const subject = "registry.analytics.downloads.counted";
    await world.bus.tap([subject], ({ data }) => told.push(...decodeEvent(subject, data).totals.map((t) => t.plugin)));
    await replica.analytics.recordUsage({ downloads: [download("1", "p"), download("2", "q")] }, gateway);
    await vi.waitFor(() => expect(told.sort()).toEqual(["p", "q"]), { timeout: 5000 });
    expect(await rebuild(replica)).toMatchObject({ state: "done", mended: 0 });
    await vi.waitFor(() => expect(told.sort()).toEqual(["p", "p", "q", "q"]), { timeout: 10_000 });
  });

  it("misses nothing that is counted while it runs", async () => {
    const of = await setting();
    const { replica } = of;
    const rollups = await of.world.documents.collection<{ _id: string }>({ name: "rollups", indexes: [] });
    const id = { current: 0 };
    const record = () => {
      const downloads = Array.from({ length: 5 }, () => download(`d${id.current++}`, "p"));
      return replica.analytics.recordUsage({ downloads }, gateway);
    };
    await record();
    await rollups.updateMany(
      { level: { $in: ["slice", "hour", "day", "version", "plugin"] } },
      { $set: { count: 1e6 } },
    );
    const ended = rebuild(replica);
    let over = false;
    void ended.then(() => {
      over = true;
    });
    while (!over) await record();
    expect(await ended).toMatchObject({ state: "done" });
    await record();
    const expected = id.current;
    await vi.waitFor(
      async () => {
        const counts = (await rows(of.world, "rollups")).filter(({ level }) =>
          ["day", "version", "plugin"].includes(String(level)),
        );
        expect(counts.map(({ count }) => count)).toEqual([expected, expected, expected]);
      },
      { timeout: 10_000 },
    );
  });

  it("raises a count that it has read, since what is counted meanwhile makes it too low", async () => {
    const { world } = await setting();
    const [rollups, repair] = [await Rollups.open(world.documents), await RollupRepair.open(world.documents)];
    const { leaves, above } = downloadPlaces("p", "1.0.0", new Date(), "rest");
    for (const place of [...leaves, ...above.flat()]) {
      await rollups.raise([{ place, count: 3 }]);
      for (const read of await repair.page(place.level, "", 10)) await rollups.raise([{ place: read, count: 5 }]);
      expect((await rollups.countsOf([place._id])).get(place._id)).toBe(5);
    }
  });

  it("is gone on with by another process where the first one dies, and says so where the catalog is away", async () => {
    const { world, catalog, replica } = await setting();
    catalog.away = true;
    expect(await rebuild(replica)).toMatchObject({ state: "failed", failure: expect.stringMatching(/./) });
    await replica.close();
    catalog.away = false;
    const jobs = await world.documents.collection<{ _id: string }>({ name: "rebuilds", indexes: [] });
    const leasedUntil = new Date(0);
    const found = { mended: { rollups: 2, plugins: 1 }, checked: 500, step: "hours" };
    await jobs.updateOne({ _id: "analytics" }, { $set: { state: "running", worker: "dead", leasedUntil, ...found } });
    const other = await start(world, catalog);
    const events = other.surroundings.clients.of(EventServiceDefinition);
    await vi.waitFor(
      async () => {
        const told = await events.getAnalyticsRebuild({}, as(other, administrator));
        // What the first one has set right is not found wrong again.
        expect(told.rebuild).toMatchObject({
          number: 1,
          state: "done",
          mended: 3,
          mendedBy: { rollups: 2, plugins: 1 },
        });
      },
      { timeout: 10_000 },
    );
  });
});
