import { randomUUID } from "node:crypto";
import type { Download } from "@registry/contracts/analytics";
import { intercepted } from "@registry/documents/testing";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { dyingDocuments, failingDocuments } from "./testing/failing.ts";
import {
  composeReplica,
  download,
  gateway,
  openWorld,
  type Replica,
  search,
  startReplica,
  type World,
} from "./testing/harness.ts";

let world: World;
const open: Replica[] = [];
beforeEach(async () => {
  world = await openWorld();
});
afterEach(async () => {
  for (const replica of open.splice(0)) await replica.close();
  await world.close();
});
const kept = (replica: Replica): Replica => {
  open.push(replica);
  return replica;
};
const catalog = { p: ["2.0.0", "1.0.0"], q: ["1.0.0"] };
const started = async (): Promise<Replica> => kept(await startReplica(world, { catalog }));
const record = (replica: Replica, downloads: Download[]) => replica.analytics.recordUsage({ downloads }, gateway);
const usageOf = (replica: Replica, plugin: string) => replica.analytics.getPluginUsage({ plugin });

describe("counting", () => {
  it("counts each id once, by plugin and version", async () => {
    const replica = await started();
    const batch = [
      download("1", "p"),
      download("2", "p"),
      download("2", "p"),
      download("3", "p", "2.0.0"),
      download("4", "q"),
    ];
    expect(await record(replica, batch)).toEqual({ recorded: 4 });
    expect(await record(replica, batch)).toEqual({ recorded: 0 });
    expect(await usageOf(replica, "p")).toEqual({
      downloads: 3,
      versions: [
        { version: "2.0.0", downloads: 1 },
        { version: "1.0.0", downloads: 2 },
      ],
    });
    expect((await usageOf(replica, "q")).downloads).toBe(1);
  });

  it("keeps ids of downloads and searches apart, and counts searches", async () => {
    const replica = await started();
    const both = { downloads: [download("1", "p")], searches: [search("1", "Weather "), search("2", "weather")] };
    expect(await replica.analytics.recordUsage(both, gateway)).toEqual({ recorded: 3 });
    expect(await replica.analytics.recordUsage(both, gateway)).toEqual({ recorded: 0 });
    expect((await replica.analytics.getMetrics({})).totalSearches).toBe(2);
  });

  it("counts the same batches once, sent to two replicas at once", async () => {
    const replicas = [await started(), await started()];
    const ids = Array.from({ length: 60 }, (_, i) => `${i}`);
    const batch = (from: number): Download[] => ids.slice(from, from + 20).map((id) => download(id, "p"));
    const calls = [0, 10, 20, 30, 40].flatMap((from) => replicas.map((replica) => record(replica, batch(from))));
    const recorded = (await Promise.all(calls)).reduce((sum, answer) => sum + answer.recorded, 0);
    expect(recorded).toBe(60);
    for (const replica of replicas) expect((await usageOf(replica, "p")).downloads).toBe(60);
  });

  it("is not set back by a replica that counted earlier and writes later", async () => {
    const other = await started();
    const documents = intercepted(world.documents, "usages", "countDocuments", async (count) => {
      const seen = await count();
      await record(other, [download("2", "p")]);
      return seen;
    });
    const slow = kept(await composeReplica(world, { documents }));
    await record(slow, [download("1", "p")]);
    const rollups = await world.documents.collection<{ _id: string; count: number }>({ name: "rollups", indexes: [] });
    expect(
      (await rollups.find({ level: { $in: ["hour", "day", "plugin-day", "version", "plugin"] } })).map(
        ({ count }) => count,
      ),
    ).toEqual([2, 2, 2, 2, 2]);
  });

  it("adds up over hours and days, whatever order they come in", async () => {
    const replica = await started();
    const hours = [100, 3, 0, 26, 25, 50];
    const at = (hour: number): Date => new Date(replica.surroundings.clock.now().getTime() - hour * 3_600_000);
    for (const hour of hours) await record(replica, [download(`h${hour}`, "p", "1.0.0", { time: at(hour) })]);
    expect((await usageOf(replica, "p")).downloads).toBe(hours.length);
  });

  it("leaves out what is malformed or too old, and counts the rest of the batch", async () => {
    const replica = await started();
    const old = new Date(replica.surroundings.clock.now().getTime() - 8.1 * 86_400_000);
    const ahead = new Date(replica.surroundings.clock.now().getTime() + 86_400_000);
    const batch = [
      download("old", "p", "1.0.0", { time: old }),
      download("", "p"),
      download("bad name", "p"),
      download("a", "p|q"),
      download("b", "p", ""),
      download("ahead", "p", "1.0.0", { time: ahead }),
      download("fine", "p"),
    ];
    expect(await record(replica, batch)).toEqual({ recorded: 2 });
    expect((await usageOf(replica, "p")).downloads).toBe(2);
  });

  it("takes 1,000 items and no more", async () => {
    const replica = await started();
    const items = Array.from({ length: 1001 }, (_, i) => download(`${i}`, "p"));
    await expect(record(replica, items)).rejects.toMatchObject({ kind: "invalid_argument", reason: "TOO_MANY_ITEMS" });
    expect(await record(replica, items.slice(1))).toEqual({ recorded: 1000 });
    expect((await usageOf(replica, "p")).downloads).toBe(1000);
  });

  it("is for gateways only", async () => {
    const replica = await started();
    await expect(replica.analytics.recordUsage({})).rejects.toMatchObject({ kind: "unauthenticated" });
  });
});

describe("a process that dies", () => {
  it.each(Array.from({ length: 17 }, (_, i) => i + 1).flatMap((n) => [[n, true] as const, [n, false] as const]))(
    "at write %i (lost: %s) leaves counts that another replica and a repetition make right",
    async (atWrite, lost) => {
      const batch = [
        download("1", "p", "1.0.0", { userId: 7 }),
        download("2", "p", "1.0.0"),
        download("3", "p", "2.0.0"),
      ];
      const dying = kept(await composeReplica(world, { documents: dyingDocuments(world.documents, atWrite, lost) }));
      await record(dying, batch).catch(() => undefined);
      const next = kept(await composeReplica(world, { catalog }));
      next.surroundings.clock.advance(11_000);
      await record(next, batch);
      await next.service.start();
      await vi.waitFor(async () => {
        expect(await usageOf(next, "p")).toEqual({
          downloads: 3,
          versions: [
            { version: "2.0.0", downloads: 1 },
            { version: "1.0.0", downloads: 2 },
          ],
        });
        expect((await next.analytics.getMetrics({})).activeUsers).toBe(1);
      });
    },
  );
});

describe("after much work", () => {
  it("rests, and then counts together what came meanwhile", async () => {
    const replica = await started();
    const plugins = Array.from({ length: 60 }, (_, i) => `many-${i}`);
    const batch = (tag: string): Download[] => plugins.map((plugin) => download(`${tag}${plugin}`, plugin));
    for (const tag of ["a", "b", "c"]) expect(await record(replica, batch(tag))).toEqual({ recorded: 60 });
    const within = { timeout: 15_000 };
    await vi.waitFor(async () => expect((await replica.analytics.getMetrics({})).totalDownloads).toBe(180), within);
    const batches = await world.documents.collection<{ _id: string }>({ name: "batches", indexes: [] });
    await vi.waitFor(async () => expect(await batches.countDocuments({})).toBe(0), within);
  });

  it("leaves what is not counted when it ends to others", async () => {
    const replica = await started();
    const plugins = Array.from({ length: 60 }, (_, i) => `many-${i}`);
    await record(
      replica,
      plugins.map((plugin) => download(plugin, plugin)),
    );
    await record(replica, [download("late", "p")]);
    await replica.close();
    const next = kept(await composeReplica(world, { catalog }));
    next.surroundings.clock.advance(11_000);
    await next.service.start();
    await vi.waitFor(async () => expect((await usageOf(next, "p")).downloads).toBe(1));
  });
});

it("counts what was stored after a replica whose clock is ahead had taken its batch for left behind", async () => {
  const ahead = kept(await composeReplica(world, { catalog }));
  ahead.surroundings.clock.advance(60_000);
  const batches = await world.documents.collection<{ _id: string }>({ name: "batches", indexes: [] });
  const documents = intercepted(world.documents, "usages", "insertNew", async (insert) => {
    await ahead.service.start();
    await vi.waitFor(async () => expect(await batches.countDocuments({})).toBe(0));
    // From here on it answers what is under way, and leaves the counting to others.
    await ending.service.close();
    return insert();
  });
  const ending: Replica = await composeReplica(world, { documents });
  expect(await record(ending, [download("1", "p")])).toEqual({ recorded: 1 });
  const next = kept(await composeReplica(world, { catalog }));
  next.surroundings.clock.advance(120_000);
  await next.service.start();
  await vi.waitFor(async () => expect((await usageOf(next, "p")).downloads).toBe(1));
  await vi.waitFor(async () => expect(await batches.countDocuments({})).toBe(0));
});

/** How the store treats the replica that takes a batch. */
const treatment = fc.option(
  fc.oneof(
    fc.record({ how: fc.constant("dies" as const), at: fc.integer({ min: 1, max: 20 }), lost: fc.boolean() }),
    fc.record({
      how: fc.constant("fails" as const),
      at: fc.uniqueArray(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 3 }),
      lost: fc.boolean(),
    }),
  ),
  { freq: 3 },
);

function treated(treat: NonNullable<ReturnType<typeof treatment.generate>["value"]>) {
  const { documents } = world;
  return treat.how === "dies"
    ? dyingDocuments(documents, treat.at, treat.lost)
    : failingDocuments(documents, treat.at, treat.lost);
}

it("counts distinct ids under any order, repetition, split over replicas, deaths and failures of the store", async () => {
  const event = fc.record({
    id: fc.integer({ min: 0, max: 15 }),
    version: fc.constantFrom("1.0.0", "2.0.0-rc.1"),
    client: fc.constantFrom("npm", "rest"),
    minutesAgo: fc.constantFrom(0, 4, 60, 1440, 1800, 11_000),
  });
  const batch = fc.record({
    events: fc.array(event, { maxLength: 8 }),
    replica: fc.integer({ min: 0, max: 1 }),
    treat: treatment,
  });
  const replicas = [await started(), await started()];
  await fc.assert(
    fc.asyncProperty(fc.array(batch, { maxLength: 5 }), async (batches) => {
      const plugin = randomUUID();
      const now = replicas[0]?.surroundings.clock.now().getTime() ?? 0;
      // An id names one download for ever: a repetition is the same in all.
      const byId = new Map<number, Download>();
      const downloads = batches.map(({ events }) =>
        events.map(({ id, version, client, minutesAgo }) => {
          const time = new Date(now - minutesAgo * 60_000);
          const known = byId.get(id) ?? download(`${plugin}-${id}`, plugin, version, { time, client });
          byId.set(id, known);
          return known;
        }),
      );
      const unanswered: Download[][] = [];
      await Promise.all(
        batches.map(async ({ replica, treat }, i) => {
          const some = downloads[i] ?? [];
          const target =
            treat === null ? replicas[replica] : kept(await composeReplica(world, { documents: treated(treat) }));
          if (target !== undefined) await record(target, some).catch(() => unanswered.push(some));
        }),
      );
      const last = kept(await composeReplica(world, { catalog: { [plugin]: ["1.0.0", "2.0.0-rc.1"] } }));
      last.surroundings.clock.advance(11_000);
      // Who got no answer sends it again; who got one does not.
      for (const again of unanswered) await record(last, again);
      await last.service.start();
      const all = [...byId.values()];
      const count = (version: string): number => all.filter((each) => each.version === version).length;
      const versions = ["1.0.0", "2.0.0-rc.1"].map((version) => ({ version, downloads: count(version) }));
      await vi.waitFor(async () => {
        expect(await usageOf(last, plugin)).toEqual({ downloads: all.length, versions });
        const { days } = await last.insights.getDownloadSeries({ plugin, days: 10 });
        const clients = days.flatMap((day) => Object.entries(day.clients));
        const of = (kind: string): number => clients.reduce((sum, [each, n]) => sum + (each === kind ? n : 0), 0);
        expect(days.reduce((sum, day) => sum + day.downloads, 0)).toBe(all.length);
        for (const kind of ["npm", "rest"]) expect(of(kind)).toBe(all.filter(({ client }) => client === kind).length);
        expect(of("other")).toBe(0);
      });
      for (const replica of open.splice(2)) await replica.close();
    }),
    { numRuns: 60 },
  );
});
