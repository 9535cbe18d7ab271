import { ReleasePublished } from "@registry/contracts/events";
import { anonymous } from "@registry/domain";
import { userCaller } from "@registry/kit/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  administrator,
  as,
  download,
  gateway,
  openWorld,
  type Replica,
  search,
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

const dayMs = 86_400_000;
let revision = 0;
const published = (plugin: string, more: Partial<ReleasePublished> = {}): ReleasePublished =>
  ReleasePublished.fromPartial({
    plugin,
    version: "1.0.0",
    visibility: "public",
    publishedBy: "alice",
    publishedById: 7,
    publishedAt: replica.surroundings.clock.now(),
    revision: ++revision,
    ...more,
  });
const release = (plugin: string, more: Partial<ReleasePublished> = {}) =>
  world.publish("registry.catalog.release.published", published(plugin, more));
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

describe("popularity", () => {
  it("ranks public plugins, and all for administrators", async () => {
    await release("some");
    await release("most");
    await release("secret", { visibility: "private" });
    await release("inside", { visibility: "internal" });
    await downloads({ some: 2, most: 3, secret: 5, inside: 4, unknown: 9 });
    const shown = [
      { plugin: "most", downloadCount: 3 },
      { plugin: "some", downloadCount: 2 },
    ];
    expect((await replica.analytics.getPopular({})).plugins).toEqual(shown);
    expect((await replica.analytics.getPopular({}, as(replica, userCaller("bob")))).plugins).toEqual(shown);
    const all = await replica.analytics.getPopular({}, as(replica, administrator));
    expect(namesOf(all.plugins)).toEqual(["secret", "inside", "most", "some"]);
    expect(namesOf((await replica.analytics.getPopular({ limit: 1 })).plugins)).toEqual(["most"]);
  });

  it("looks back exactly as many days as asked", async () => {
    await release("p");
    await downloads({ p: 1 });
    const { clock } = replica.surroundings;
    clock.advance(dayMs - 60_000);
    expect(namesOf((await replica.analytics.getPopular({ days: 1 })).plugins)).toEqual(["p"]);
    clock.advance(3_700_000);
    expect((await replica.analytics.getPopular({ days: 1 })).plugins).toEqual([]);
    clock.advance(28 * dayMs);
    expect((await replica.analytics.getPopular({})).plugins).toEqual([{ plugin: "p", downloadCount: 1 }]);
    await downloads({ p: 2 }, "later");
    expect((await replica.analytics.getPopular({})).plugins).toEqual([{ plugin: "p", downloadCount: 3 }]);
    clock.advance(2 * dayMs);
    expect((await replica.analytics.getPopular({})).plugins).toEqual([{ plugin: "p", downloadCount: 2 }]);
    expect((await replica.analytics.getPopular({ days: 365 })).plugins).toEqual([{ plugin: "p", downloadCount: 3 }]);
  });

  it.each([
    [{ days: 366 }, "INVALID_DAYS"],
    [{ days: -1 }, "INVALID_DAYS"],
    [{ limit: 101 }, "INVALID_LIMIT"],
  ])("refuses %j", async (request, reason) => {
    await expect(replica.analytics.getPopular(request)).rejects.toMatchObject({ kind: "invalid_argument", reason });
  });
});

describe("the projection of plugins", () => {
  const shown = async (): Promise<string[]> => namesOf((await replica.analytics.getPopular({})).plugins);

  it("follows visibility, and drops what is older than it knows", async () => {
    await downloads({ p: 1 });
    expect(await shown()).toEqual([]);
    await release("p", { revision: 101 });
    expect(await shown()).toEqual(["p"]);
    const hidden = { plugin: "p", visibility: "private", updatedBy: "alice", revision: 105 };
    await world.publish("registry.catalog.plugin.updated", hidden);
    expect(await shown()).toEqual([]);
    await release("p", { version: "1.1.0", revision: 103 });
    await world.publish("registry.catalog.plugin.updated", { ...hidden, visibility: "public", revision: 104 });
    expect(await shown()).toEqual([]);
    await world.publish("registry.catalog.plugin.updated", { ...hidden, visibility: "public", revision: 106 });
    expect(await shown()).toEqual(["p"]);
    await world.publish("registry.catalog.plugin.deleted", { plugin: "p", deletedBy: "alice", revision: 107 });
    await release("p", { revision: 101 });
    expect(await shown()).toEqual([]);
    expect((await replica.analytics.getPopular({}, as(replica, administrator))).plugins).toEqual([]);
  });

  it("lists recent publications once, without deleted ones, in any order of events", async () => {
    await release("a", { publishedAt: new Date(Date.now() - 3000) });
    const twice = published("b", { publishedAt: new Date(Date.now() - 1000) });
    await world.publish("registry.catalog.release.published", twice, "same");
    await world.publish("registry.catalog.release.published", twice, "same");
    const gone = { plugin: "c", version: "1.0.0", sha256: "", deletedBy: "alice", revision: 900 };
    await world.publish("registry.catalog.release.deleted", gone);
    await release("c");
    await release("d");
    await world.publish("registry.catalog.release.deleted", { ...gone, plugin: "d" });
    await release("hidden", { visibility: "private" });
    const metrics = await replica.analytics.getMetrics({});
    expect(namesOf(metrics.recentPublishes)).toEqual(["b", "a"]);
    expect(metrics.recentPublishes[0]).toMatchObject({ version: "1.0.0", publishedBy: "alice" });
    const all = await replica.analytics.getMetrics({}, as(replica, administrator));
    expect(namesOf(all.recentPublishes)).toEqual(["hidden", "b", "a"]);
  });
});

describe("a quarantine", () => {
  it("hides a recent publication until it is restored, in any order of events, and the plugin with its last release", async () => {
    const published = { plugin: "q", version: "1.0.0", publishedAt: new Date(Date.now() - 1000), publishedBy: "alice" };
    const gone = { plugin: "q", version: "1.0.0", quarantinedBy: "root", revision: 1002 };
    const recent = async () => namesOf((await replica.analytics.getMetrics({})).recentPublishes);
    await world.publish("registry.catalog.release.quarantined", gone);
    await release("q", { revision: 1001 });
    expect(await recent()).toEqual([]);
    const back = { ...published, restoredBy: "root", visibility: "public", revision: 1003 };
    await world.publish("registry.catalog.release.restored", back);
    await world.publish("registry.catalog.release.quarantined", { ...gone, quarantinedBy: "again" });
    expect(await recent()).toEqual(["q"]);
    await downloads({ q: 1 });
    const hidden = { plugin: "q", visibility: "hidden", updatedBy: "", revision: 1004 };
    await world.publish("registry.catalog.plugin.updated", hidden);
    expect(await recent()).toEqual([]);
    expect((await replica.analytics.getPopular({})).plugins).toEqual([]);
    expect((await replica.analytics.getMetrics({})).totalPlugins).toBe(0);
  });
});

describe("metrics", () => {
  it("tell totals, and names of public plugins only", async () => {
    await release("open");
    await release("closed", { visibility: "private" });
    await downloads({ open: 2, closed: 3, unknown: 1 });
    await replica.analytics.recordUsage({ searches: [search("s", "x")] }, gateway);
    for (const caller of [anonymous, administrator]) {
      const metrics = await replica.analytics.getMetrics({}, as(replica, caller));
      expect(metrics).toMatchObject({ totalPlugins: 1, totalDownloads: 6, totalSearches: 1 });
      expect(metrics.downloads).toEqual([
        { plugin: "open", version: "1.0.0", downloads: 2 },
        { plugin: "_private", version: "", downloads: 4 },
      ]);
    }
  });

  it("count users who downloaded or published within 30 days, each once", async () => {
    const byUser = (id: string, userId: number) => download(id, "p", "1.0.0", { userId });
    await release("p", { publishedById: 7 });
    await replica.analytics.recordUsage(
      {
        downloads: [byUser("1", 7), byUser("2", 8), byUser("3", 8), byUser("4", 0)],
        searches: [search("5", "x", { userId: 9 })],
      },
      gateway,
    );
    expect((await replica.analytics.getMetrics({})).activeUsers).toBe(2);
    replica.surroundings.clock.advance(29 * dayMs);
    await replica.analytics.recordUsage({ downloads: [byUser("6", 8)] }, gateway);
    replica.surroundings.clock.advance(2 * dayMs);
    expect((await replica.analytics.getMetrics({})).activeUsers).toBe(1);
  });
});

describe("a plugin's usage", () => {
  it("is not found where the catalog says so, and names no version that it does not", async () => {
    const other = await startReplica(world, { catalog: { p: ["1.0.0"] } });
    extra.push(other);
    const batch = [download("1", "p"), download("2", "p", "9.9.9-quarantined"), download("3", "hidden")];
    await other.analytics.recordUsage({ downloads: batch }, gateway);
    await expect(other.analytics.getPluginUsage({ plugin: "hidden" })).rejects.toMatchObject({
      kind: "not_found",
      reason: "PLUGIN_NOT_FOUND",
      message: "Plugin not found",
    });
    const { versions } = await other.analytics.getPluginUsage({ plugin: "p" });
    expect(versions).toEqual([{ version: "1.0.0", downloads: 1 }]);
  });
});
