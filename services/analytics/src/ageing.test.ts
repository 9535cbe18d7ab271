import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { composeReplica, download, gateway, openWorld, type Replica, search, type World } from "./testing/harness.ts";

const secondMs = 1000;
const dayMs = 86_400_000;

let world: World;
const open: Replica[] = [];
beforeEach(async () => {
  world = await openWorld();
});
afterEach(async () => {
  for (const replica of open.splice(0)) await replica.close();
  await world.close();
});

/** A replica whose clock is ahead of the first one's by so much. It sweeps when it is started. */
async function at(ms: number): Promise<Replica> {
  const replica = await composeReplica(world, { catalog: { p: ["1.0.0"] } });
  replica.surroundings.clock.advance(ms);
  open.push(replica);
  return replica;
}
const record = async (replica: Replica, ...downloads: ReturnType<typeof download>[]): Promise<number> =>
  (await replica.analytics.recordUsage({ downloads }, gateway)).recorded;
const total = async (replica: Replica): Promise<number> =>
  (await replica.analytics.getPluginUsage({ plugin: "p" })).downloads;

interface Count {
  readonly _id: string;
  readonly level: string;
  readonly count: number;
}
const usages = () => world.documents.collection<{ _id: string }>({ name: "usages", indexes: [] });
async function counts(...without: string[]): Promise<Map<string, number>> {
  const rollups = await world.documents.collection<Count>({ name: "rollups", indexes: [] });
  const found = (await rollups.find({})).filter(({ level }) => !without.includes(level));
  return new Map(found.map(({ _id, count }) => [_id, count]));
}

describe("single events", () => {
  it("go after they were counted, and no count changes by it", async () => {
    const first = await at(0);
    const now = first.surroundings.clock.now().getTime();
    const hours = [0, 1, 5, 23, 30];
    const many = hours.flatMap((hour, i) =>
      Array.from({ length: i + 2 }, (_, n) =>
        download(`${hour}-${n}`, "p", "1.0.0", { time: new Date(now - hour * 3_600_000) }),
      ),
    );
    await record(first, ...many);
    await first.analytics.recordUsage({ searches: [search("s", "weather")] }, gateway);
    const before = await counts("slice", "search-slice", "query-slice");
    expect(before.get("plugin|p")).toBe(many.length);

    const later = await at(9 * dayMs + 31 * 3_600_000);
    await later.service.start();
    await vi.waitFor(async () => expect(await (await usages()).countDocuments({})).toBe(0));
    expect(await counts("slice", "search-slice", "query-slice")).toEqual(before);
    expect(await record(later, ...many)).toBe(0);

    const muchLater = await at(12 * dayMs);
    await muchLater.service.start();
    await vi.waitFor(async () => expect(await counts()).toEqual(before));
    await record(muchLater, download("new", "p"));
    expect(await total(muchLater)).toBe(many.length + 1);
  });

  it("are kept for as long as a repetition of them is taken, with eight days as with more", async () => {
    for (const days of [8, 9, 20]) {
      const plugin = `kept-${days}`;
      const config = { USAGE_RETENTION_DAYS: days };
      const take = async (ms: number): Promise<Replica> => {
        const replica = await composeReplica(world, { config, catalog: { [plugin]: ["1.0.0"] } });
        replica.surroundings.clock.advance(ms);
        open.push(replica);
        // Once these have gone, whatever may go has.
        const now = replica.surroundings.clock.now().getTime();
        await (await usages()).insertNew([{ _id: "d:oldest", time: new Date(now - (days + 1) * dayMs) } as never]);
        const oldest = { level: "empty-day", start: new Date(now - 400 * dayMs), count: 1, up: [] };
        const rollups = await world.documents.collection<Count>({ name: "rollups", indexes: [] });
        await rollups.insertNew([{ _id: "oldest", ...oldest } as never]);
        await replica.service.start();
        await vi.waitFor(async () => {
          expect(await (await usages()).countDocuments({ _id: "d:oldest" })).toBe(0);
          expect(await rollups.countDocuments({ _id: "oldest" })).toBe(0);
        });
        return replica;
      };
      const first = await take(0);
      const now = first.surroundings.clock.now().getTime();
      const hour = Math.floor(now / 3_600_000) * 3_600_000 - 3_600_000;
      const event = (minute: number) =>
        download(`${plugin}-${minute}`, plugin, "1.0.0", { time: new Date(hour + minute * 60 * secondMs) });
      expect(await record(first, event(1))).toBe(1);
      const aged = (age: number): Promise<Replica> => take(hour + 60 * secondMs + age * dayMs - now);
      const totalOf = async (replica: Replica) => (await replica.analytics.getPluginUsage({ plugin })).downloads;
      for (const age of [1, days - 2.001]) {
        const replica = await aged(age);
        expect(await record(replica, event(1))).toBe(0);
        expect(await totalOf(replica)).toBe(1);
      }
      // A late one of the same hour joins what was counted of it long ago.
      const late = await aged(days - 1.001);
      expect(await record(late, event(21))).toBe(1);
      expect(await totalOf(late)).toBe(2);
      for (const age of [days - 1.0001, days - 0.999, days + 3]) {
        const replica = await aged(age);
        expect(await record(replica, event(1), event(21))).toBe(0);
        expect(await totalOf(replica)).toBe(2);
      }
    }
  });
});

describe("at the border, with clocks that differ", () => {
  it("a late event counts once or not at all, and no count is lowered", async () => {
    const ahead = 30 * secondMs;
    const time = (await at(0)).surroundings.clock.now();
    const born = (id: string) => download(id, "p", "1.0.0", { time });
    expect(await record(await at(0), born("1"), born("2"))).toBe(2);

    // A minute before the slower one stops taking them: the faster one takes them no more.
    const slow = await at(8 * dayMs - 10 * secondMs);
    const fast = await at(8 * dayMs - 10 * secondMs + ahead);
    expect(await record(fast, born("1"), born("3"))).toBe(0);
    expect(await record(slow, born("1"), born("3"))).toBe(1);
    expect(await total(slow)).toBe(3);

    // The faster one lets the events go as early as it ever may, and the slower one goes on taking all that it may.
    const trims = await at(9 * dayMs + 20 * secondMs);
    await trims.service.start();
    await vi.waitFor(async () => expect(await (await usages()).countDocuments({})).toBe(0));
    const behind = await at(9 * dayMs - 3600 * secondMs);
    expect(await record(behind, born("1"), born("4"))).toBe(0);
    const youngest = new Date(behind.surroundings.clock.now().getTime() - 8 * dayMs + secondMs);
    const late = download("late", "p", "1.0.0", { time: youngest });
    expect([await record(behind, late), await record(behind, late)]).toEqual([1, 0]);
    expect(await total(trims)).toBe(4);
  });

  it("a batch that was left for long is counted before what it is part of goes", async () => {
    const first = await at(0);
    const time = first.surroundings.clock.now();
    await record(first, download("1", "p", "1.0.0", { time }));
    const [earlier] = [await counts()];
    // A process that was stopped right after it had stored an event, and never came back.
    const { insertOne, insertNew } = {
      insertOne: await world.documents.collection<{ _id: string }>({ name: "batches", indexes: [] }),
      insertNew: await usages(),
    };
    const [leaf] = [...earlier.keys()].filter((id) => id.startsWith("slice|"));
    const spot = { time, plugin: "p", version: "1.0.0", client: "rest" };
    await insertOne.insertOne({ _id: "left", since: time, spots: [spot], users: [] } as never);
    await insertNew.insertNew([{ _id: "d:left", time, leaf, plugin: "p", version: "1.0.0", client: "rest" } as never]);
    const later = await at(30 * dayMs);
    await later.service.start();
    await vi.waitFor(async () => expect(await total(later)).toBe(2));
    await vi.waitFor(async () => expect(await (await usages()).countDocuments({})).toBe(0));
    expect(await total(later)).toBe(2);
  });
});

describe("what an earlier release left", () => {
  it("is counted as it was, and adds up with what comes", async () => {
    const replica = await at(0);
    const now = replica.surroundings.clock.now();
    const [day, hour] = [now.toISOString().slice(0, 10), now.toISOString().slice(0, 13)];
    const start = new Date(`${day}T00:00:00Z`);
    const old = { time: now, leaf: `hour|p|1.0.0|${hour}`, plugin: "p", version: "1.0.0", client: "rest" };
    await (await usages()).insertNew([
      { _id: "d:old-1", ...old },
      { _id: "d:old-2", ...old },
      { _id: "d:old-3", ...old, pendingSince: now },
    ] as never);
    const rollups = await world.documents.collection<Count>({ name: "rollups", indexes: [] });
    const of = { plugin: "p", version: "1.0.0", count: 2 };
    await rollups.insertNew([
      { _id: old.leaf, level: "hour", start: new Date(`${hour}:00:00Z`), ...of, up: [`day|p|1.0.0|${day}`] },
      { _id: `day|p|1.0.0|${day}`, level: "day", start, ...of, up: [`plugin-day|p|${day}`, "version|p|1.0.0"] },
      { _id: `plugin-day|p|${day}`, level: "plugin-day", plugin: "p", start, count: 2, up: [] },
      { _id: "version|p|1.0.0", level: "version", ...of, up: ["plugin|p"] },
      { _id: "plugin|p", level: "plugin", plugin: "p", count: 2, up: [] },
    ] as never);

    expect(await record(replica, download("old-1", "p"), download("new", "p"))).toBe(1);
    expect(await total(replica)).toBe(3);
    await replica.service.start();
    await vi.waitFor(async () => expect(await total(replica)).toBe(4));
    expect(await rollups.find({ rank: { $exists: true } })).toMatchObject([{ _id: "version|p|1.0.0", rank: 4 }]);
    const { days } = await replica.insights.getDownloadSeries({ plugin: "p", days: 1 });
    expect(days).toMatchObject([{ downloads: 4, clients: { rest: 1, other: 3 } }]);
  });
});
