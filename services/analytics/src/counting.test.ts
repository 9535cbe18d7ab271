import { randomUUID } from "node:crypto";
import type { Download } from "@registry/contracts/analytics";
import { intercepted } from "@registry/documents/testing";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { dyingDocuments } from "./testing/failing.ts";
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

describe("ageing", () => {
  it("lets single events go after they were counted, and totals stay", async () => {
    const replica = await started();
    const time = replica.surroundings.clock.now();
    const batch = [download("1", "p", "1.0.0", { time }), download("2", "p", "1.0.0", { time })];
    await record(replica, batch);
    const usages = await world.documents.collection<{ _id: string }>({ name: "usages", indexes: [] });

    const kept8 = kept(await composeReplica(world, { catalog }));
    kept8.surroundings.clock.advance(8.5 * 86_400_000);
    expect(await record(kept8, batch)).toEqual({ recorded: 0 });
    await kept8.service.start();
    await record(kept8, [download("3", "p")]);
    expect(await usages.countDocuments({})).toBe(3);

    const later = kept(await composeReplica(world, { catalog }));
    later.surroundings.clock.advance(10 * 86_400_000);
    await later.service.start();
    await vi.waitFor(async () => expect(await usages.countDocuments({})).toBe(1));
    expect(await record(later, batch)).toEqual({ recorded: 0 });
    await record(later, [download("4", "p")]);
    expect((await usageOf(later, "p")).downloads).toBe(4);
  });
});

describe("a process that dies", () => {
  it.each(Array.from({ length: 11 }, (_, i) => i + 1).flatMap((n) => [[n, true] as const, [n, false] as const]))(
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
      next.surroundings.clock.advance(3000);
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

it("counts distinct ids under any order, repetition, split over replicas and deaths", async () => {
  const event = fc.record({
    id: fc.integer({ min: 0, max: 15 }),
    version: fc.constantFrom("1.0.0", "2.0.0-rc.1"),
    hoursAgo: fc.constantFrom(0, 1, 24, 30),
  });
  const batch = fc.record({
    events: fc.array(event, { maxLength: 8 }),
    replica: fc.integer({ min: 0, max: 1 }),
    dies: fc.option(fc.record({ at: fc.integer({ min: 1, max: 14 }), lost: fc.boolean() }), { freq: 3 }),
  });
  const replicas = [await started(), await started()];
  await fc.assert(
    fc.asyncProperty(fc.array(batch, { maxLength: 5 }), async (batches) => {
      const plugin = randomUUID();
      const now = replicas[0]?.surroundings.clock.now().getTime() ?? 0;
      const versionOf = new Map<number, string>();
      // An id names one download for ever: a repetition has the same version.
      for (const { id, version } of batches.flatMap(({ events }) => events)) {
        if (!versionOf.has(id)) versionOf.set(id, version);
      }
      const downloads = batches.map(({ events }) =>
        events.map(({ id, hoursAgo }) =>
          download(`${plugin}-${id}`, plugin, versionOf.get(id), { time: new Date(now - hoursAgo * 3_600_000) }),
        ),
      );
      await Promise.all(
        batches.map(async ({ replica, dies }, i) => {
          const documents = dies === null ? undefined : dyingDocuments(world.documents, dies.at, dies.lost);
          const target = documents === undefined ? replicas[replica] : kept(await composeReplica(world, { documents }));
          if (target !== undefined) await record(target, downloads[i] ?? []).catch(() => undefined);
        }),
      );
      const last = kept(await composeReplica(world, { catalog: { [plugin]: ["1.0.0", "2.0.0-rc.1"] } }));
      last.surroundings.clock.advance(3000);
      // Who got no answer sends it again.
      for (const again of downloads) await record(last, again);
      await last.service.start();
      const count = (version: string): number => [...versionOf.values()].filter((each) => each === version).length;
      const versions = ["1.0.0", "2.0.0-rc.1"].map((version) => ({ version, downloads: count(version) }));
      await vi.waitFor(async () => {
        expect(await usageOf(last, plugin)).toEqual({ downloads: versionOf.size, versions });
      });
      for (const replica of open.splice(2)) await replica.close();
    }),
    { numRuns: 40 },
  );
});
