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

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

let world: World;
let replica: Replica;
beforeEach(async () => {
  world = await openWorld();
  replica = await startReplica(world, { catalog: { p: ["1.0.0", "2.0.0"] } });
});
afterEach(async () => {
  await replica.close();
  await world.close();
});

let id = 0;
/** So many downloads, so long ago. */
async function downloads(
  plugin: string,
  count: number,
  agoMs: number,
  version = "1.0.0",
  client = "rest",
): Promise<void> {
  const time = new Date(replica.surroundings.clock.now().getTime() - agoMs);
  const some = Array.from({ length: count }, () => download(`${++id}`, plugin, version, { time, client }));
  await replica.analytics.recordUsage({ downloads: some }, gateway);
}
/** The clock at noon, so that what was a few hours ago was on the same day. */
function toNoon(): void {
  const { clock } = replica.surroundings;
  const now = clock.now().getTime();
  clock.advance(Math.ceil(now / dayMs) * dayMs + 12 * hourMs - now);
}
const dateOf = (agoMs: number): string =>
  new Date(replica.surroundings.clock.now().getTime() - agoMs).toISOString().slice(0, 10);

describe("a plugin's series", () => {
  it("has every day, by kind of client, of all versions or of one", async () => {
    toNoon();
    await downloads("p", 2, 0, "1.0.0", "npm");
    await downloads("p", 1, hourMs, "2.0.0", "npm");
    await downloads("p", 3, 2 * hourMs, "1.0.0", "agenticraft");
    await downloads("p", 4, 2 * dayMs, "1.0.0", "rest");
    await downloads("p", 1, 2 * dayMs, "1.0.0", "a client that nobody has heard of");
    await downloads("q", 9, 0);
    const { days } = await replica.insights.getDownloadSeries({ plugin: "p", days: 4 });
    expect(days.map(({ day, ...rest }) => ({ date: day?.toISOString().slice(0, 10), ...rest }))).toEqual([
      { date: dateOf(3 * dayMs), downloads: 0, clients: {} },
      { date: dateOf(2 * dayMs), downloads: 5, clients: { rest: 4, other: 1 } },
      { date: dateOf(dayMs), downloads: 0, clients: {} },
      { date: dateOf(0), downloads: 6, clients: { npm: 3, agenticraft: 3 } },
    ]);
    const one = await replica.insights.getDownloadSeries({ plugin: "p", version: "1.0.0", days: 3 });
    expect(one.days.map(({ downloads: count, clients }) => [count, clients])).toEqual([
      [5, { rest: 4, other: 1 }],
      [0, {}],
      [5, { npm: 2, agenticraft: 3 }],
    ]);
    expect((await replica.insights.getDownloadSeries({ plugin: "p" })).days).toHaveLength(30);
    expect((await replica.insights.getDownloadSeries({ plugin: "p", version: "2.0.0", days: 365 })).days).toHaveLength(
      365,
    );
  });

  it("is there for whom the catalog shows the plugin and the version", async () => {
    await downloads("hidden", 1, 0);
    await downloads("p", 1, 0, "9.9.9-quarantined");
    const notFound = { kind: "not_found" };
    await expect(replica.insights.getDownloadSeries({ plugin: "hidden" })).rejects.toMatchObject(notFound);
    for (const version of ["9.9.9-quarantined", "no version"]) {
      await expect(replica.insights.getDownloadSeries({ plugin: "p", version })).rejects.toMatchObject(notFound);
    }
    await expect(replica.insights.getDownloadSeries({ plugin: "p", days: 366 })).rejects.toMatchObject({
      kind: "invalid_argument",
      reason: "INVALID_DAYS",
    });
  });
});

describe("trending plugins", () => {
  let revision = 0;
  const exists = (plugin: string, visibility = "public") =>
    world.publish(
      "registry.catalog.release.published",
      ReleasePublished.fromPartial({ plugin, version: "1.0.0", visibility, revision: ++revision }),
    );

  it("grew most against as many days before, as the formula has it", async () => {
    toNoon();
    for (const plugin of ["large", "small", "new", "same", "shrunk"]) await exists(plugin);
    await exists("secret", "private");
    const use = async (plugin: string, before: number, now: number): Promise<void> => {
      if (before > 0) await downloads(plugin, before, 3 * dayMs);
      if (now > 0) await downloads(plugin, now, hourMs);
    };
    await use("large", 99, 149);
    await use("small", 3, 15);
    await use("new", 0, 7);
    await use("same", 5, 5);
    await use("shrunk", 9, 2);
    await use("secret", 0, 50);
    const shown = [
      { plugin: "new", downloads: 7, downloadsBefore: 0, score: 7 },
      { plugin: "small", downloads: 15, downloadsBefore: 3, score: 6 },
      { plugin: "large", downloads: 149, downloadsBefore: 99, score: 5 },
    ];
    for (const caller of [anonymous, userCaller("bob")]) {
      expect((await replica.insights.getTrending({ days: 2 }, as(replica, caller))).plugins).toEqual(shown);
    }
    const { plugins } = await replica.insights.getTrending({ days: 2, limit: 2 }, as(replica, administrator));
    expect(plugins.map(({ plugin }) => plugin)).toEqual(["secret", "new"]);
  });

  it("are told apart to the hour, and by name where all is equal", async () => {
    toNoon();
    for (const plugin of ["b", "a", "edge"]) await exists(plugin);
    await downloads("b", 2, 0);
    await downloads("a", 2, 0);
    await downloads("edge", 4, 25 * hourMs);
    await downloads("edge", 4, 23 * hourMs);
    const { plugins } = await replica.insights.getTrending({ days: 1 });
    expect(plugins.map(({ plugin }) => plugin)).toEqual(["a", "b"]);
    await downloads("edge", 1, 23 * hourMs);
    expect((await replica.insights.getTrending({ days: 1 })).plugins.at(-1)).toMatchObject({
      plugin: "edge",
      downloads: 5,
      downloadsBefore: 4,
    });
    await expect(replica.insights.getTrending({ days: 183 })).rejects.toMatchObject({ reason: "INVALID_DAYS" });
  });
});

describe("searches", () => {
  const asAdmin = () => as(replica, administrator);
  const searched = async (query: string, resultsCount: number, times = 1, agoMs = 0): Promise<void> => {
    const time = new Date(replica.surroundings.clock.now().getTime() - agoMs);
    const searches = Array.from({ length: times }, () => search(`s${++id}`, query, { resultsCount, time }));
    await replica.analytics.recordUsage({ searches }, gateway);
  };

  it("are listed by how often queries were looked for that differ in spelling alone, and by how often in vain", async () => {
    await searched("Weather", 3, 2);
    await searched("  weather ", 0, 1, 2 * dayMs);
    await searched("teleport", 0, 2);
    await searched("calendar", 1, 2);
    await searched("ancient", 1, 1, 7 * dayMs);
    const { queries } = await replica.insights.listSearches({ days: 5 }, asAdmin());
    expect(queries).toEqual([
      { query: "weather", searches: 3, withoutResults: 1 },
      { query: "calendar", searches: 2, withoutResults: 0 },
      { query: "teleport", searches: 2, withoutResults: 2 },
    ]);
    const vain = await replica.insights.listSearches({ withoutResults: true, limit: 2 }, asAdmin());
    expect(vain.queries.map(({ query }) => query)).toEqual(["teleport", "weather"]);
    expect((await replica.analytics.getMetrics({})).totalSearches).toBe(8);
  });

  it("are told to administrators alone", async () => {
    await searched("what nobody else is to know", 0);
    await expect(replica.insights.listSearches({})).rejects.toMatchObject({ kind: "unauthenticated" });
    for (const caller of [userCaller("bob"), { ...administrator, scopes: ["read"] } as const]) {
      await expect(replica.insights.listSearches({}, as(replica, caller))).rejects.toMatchObject({
        kind: "permission_denied",
      });
    }
    await expect(replica.insights.listSearches({ days: 91 }, asAdmin())).rejects.toMatchObject({
      reason: "INVALID_DAYS",
    });
  });
});
