import { PluginUpdated, ReleasePublished } from "@registry/contracts/events";
import { intercepted } from "@registry/documents/testing";
import { unavailable } from "@registry/domain";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { pluginTotalId, type Rollup } from "./model/rollup.ts";
import type { Plugin } from "./store/plugins.ts";
import { download, gateway, openWorld, type Replica, search, startReplica, type World } from "./testing/harness.ts";

let world: World;
const replicas: Replica[] = [];
beforeEach(async () => {
  world = await openWorld();
});
afterEach(async () => {
  for (const replica of replicas.splice(0)) await replica.close();
  await world.close();
});

async function start(options: Parameters<typeof startReplica>[1] = {}): Promise<Replica> {
  const replica = await startReplica(world, options);
  replicas.push(replica);
  return replica;
}

let revision = 0;
const publishes = (plugin: string, visibility = "public") =>
  world.publish(
    "registry.catalog.release.published",
    ReleasePublished.fromPartial({
      plugin,
      version: "1.0.0",
      visibility,
      publishedAt: new Date(),
      revision: ++revision,
    }),
  );
const becomes = (name: string, visibility: string) =>
  world.publish(
    "registry.catalog.plugin.updated",
    PluginUpdated.fromPartial({ plugin: name, visibility, revision: ++revision }),
  );

async function downloads({ analytics }: Replica, plugin: string, count: number, version = "1.0.0"): Promise<void> {
  const tag = `${plugin}@${version}-${++revision}`;
  for (let done = 0; done < count; done += 1000) {
    const ids = Array.from({ length: Math.min(1000, count - done) }, (_, i) => `${tag}-${done + i}`);
    await analytics.recordUsage({ downloads: ids.map((id) => download(id, plugin, version)) }, gateway);
  }
}

/** What a scrape of the replica says of a metric now: series and value. */
async function scrape(replica: Replica, metric: string): Promise<Record<string, number>> {
  const text = await replica.surroundings.metrics.registry.metrics();
  const lines = text.split("\n").filter((line) => line.startsWith(metric));
  return Object.fromEntries(lines.map((line) => [line.replace(/ \S+$/, ""), Number(line.replace(/^.* /, ""))]));
}

const named = (plugin: string, version = "1.0.0"): string =>
  `registry_plugin_downloads_total{plugin="${plugin}",version="${version}"}`;
const hidden = named("_private", "");
const perPlugin = "registry_plugin_downloads_total";

describe("download counters", () => {
  it("name public plugins, and sum up all others", async () => {
    const replica = await start();
    await publishes("pump");
    await publishes("secret", "private");
    await publishes("inside", "internal");
    await downloads(replica, "pump", 3);
    await downloads(replica, "pump", 2, "1.1.0-rc.1");
    await downloads(replica, "secret", 4);
    await downloads(replica, "inside", 1);
    await downloads(replica, "never-heard-of", 1);
    await replica.analytics.recordUsage({ searches: [search("s1", "pumps")] }, gateway);
    await expect
      .poll(() => scrape(replica, perPlugin))
      .toEqual({
        [named("pump")]: 3,
        [named("pump", "1.1.0-rc.1")]: 2,
        [hidden]: 6,
      });
    await expect.poll(() => scrape(replica, "registry_downloads_total")).toEqual({ registry_downloads_total: 11 });
    await expect.poll(() => scrape(replica, "registry_searches_total")).toEqual({ registry_searches_total: 1 });
  });

  it("name a plugin no more once it is hidden, and move what was counted of it", async () => {
    const replica = await start();
    await publishes("pump");
    await downloads(replica, "pump", 3);
    await expect.poll(() => scrape(replica, perPlugin)).toEqual({ [named("pump")]: 3 });
    await becomes("pump", "private");
    await expect.poll(() => scrape(replica, perPlugin)).toEqual({ [hidden]: 3 });
    await becomes("pump", "public");
    await expect.poll(() => scrape(replica, perPlugin)).toEqual({ [named("pump")]: 3 });
    await expect.poll(() => scrape(replica, "registry_downloads_total")).toEqual({ registry_downloads_total: 3 });
  });

  it("are read anew after the clock was set back", async () => {
    const replica = await start();
    await publishes("pump");
    await downloads(replica, "pump", 3);
    await expect.poll(() => scrape(replica, perPlugin)).toEqual({ [named("pump")]: 3 });
    await becomes("pump", "private");
    replica.surroundings.clock.advance(-3_600_000);
    await expect.poll(() => scrape(replica, perPlugin)).toEqual({ [hidden]: 3 });
  });

  it("have one series for each version, though it is overtaken while they are read", async () => {
    const rollups = await world.documents.collection<Rollup>({ name: "rollups", indexes: [] });
    const counted = (plugin: string, version: string, count: number): Rollup => {
      const place = { level: "version", plugin, version, up: [pluginTotalId(plugin)] } as const;
      return { ...place, _id: `version|${plugin}|${version}`, count, rank: count };
    };
    await rollups.insertNew([
      ...Array.from({ length: 999 }, (_, i) => counted("secret", `1.0.${i}`, 10)),
      counted("pump", "1.0.0", 5),
    ]);
    const documents = intercepted(world.documents, "rollups", "find", async (find) => {
      const page = (await find()) as Rollup[];
      if (page.length === 1000) await rollups.insertNew([counted("secret", "2.0.0", 20)]);
      return page;
    });
    const plugins = await world.documents.collection<Plugin>({ name: "plugins", indexes: [] });
    await plugins.insertOne({ _id: "pump", visibility: "public", revision: 1 });
    const replica = await start({ documents });
    expect((await replica.analytics.getMetrics({})).downloads).toEqual([
      { plugin: "pump", version: "1.0.0", downloads: 5 },
    ]);
  });

  it("are a thousand at most, the rest in one", async () => {
    const replica = await start();
    await publishes("pump");
    await publishes("secret", "private");
    await downloads(replica, "secret", 2);
    const versions = Array.from({ length: 1005 }, (_, i) => `1.0.${i}`);
    const all = versions.map((version) => download(`one-of-${version}`, "pump", version));
    for (const part of [all.slice(0, 500), all.slice(500)]) {
      await replica.analytics.recordUsage({ downloads: part }, gateway);
    }
    await downloads(replica, "pump", 9, "1.0.7");
    // The last to be counted is in no certain one.
    const counted = { [named("pump", "1.0.7")]: 10, [named("_other", "")]: 6 };
    await expect.poll(() => scrape(replica, perPlugin)).toMatchObject(counted);
    const series = await scrape(replica, perPlugin);
    expect(Object.keys(series)).toHaveLength(1001);
    expect(series).toMatchObject({ [named("pump", "1.0.7")]: 10, [hidden]: 2, [named("_other", "")]: 6 });
    expect(Object.values(series).reduce((sum, value) => sum + value, 0)).toBe(1005 + 9 + 2);
  });

  it("name nothing where every read needs a credential", async () => {
    const replica = await start({ config: { ANONYMOUS_READ: false } });
    await publishes("pump");
    await downloads(replica, "pump", 3);
    await expect.poll(() => scrape(replica, perPlugin)).toEqual({ [hidden]: 3 });
  });

  it("stay what they were while the store is away", async () => {
    let away = false;
    const documents = intercepted(world.documents, "rollups", "find", (call) => {
      if (away) throw unavailable("The store");
      return call();
    });
    const replica = await start({ documents });
    await publishes("pump");
    await downloads(replica, "pump", 3);
    await expect.poll(() => scrape(replica, perPlugin)).toEqual({ [named("pump")]: 3 });
    away = true;
    replica.surroundings.clock.advance(2000);
    await expect.poll(() => scrape(replica, perPlugin)).toEqual({ [named("pump")]: 3 });
  });
});

describe("two replicas", () => {
  const counted = async (pair: readonly Replica[]): Promise<number[]> => {
    const each = await Promise.all(pair.map((replica) => scrape(replica, perPlugin)));
    return each.map((series) => Object.values(series).reduce((sum, value) => sum + value, 0));
  };

  it("tell the counts once, and the other one when the first has left", async () => {
    const first = await start();
    const second = await start();
    await publishes("pump");
    await downloads(first, "pump", 2);
    await downloads(second, "pump", 3);
    await expect.poll(() => counted([first, second])).toEqual([5, 0]);
    await expect.poll(() => scrape(second, "registry_downloads_total")).toEqual({});
    await replicas.shift()?.close();
    await expect.poll(() => counted([second])).toEqual([5]);
  });

  /** The first of two has told three downloads when its store goes away. */
  async function firstWithoutStore(): Promise<[Replica, Replica]> {
    let cut = false;
    const documents = intercepted(world.documents, "seats", "updateOne", (call) => {
      if (cut) throw unavailable("The store");
      return call();
    });
    const first = await start({ documents });
    const second = await start();
    await publishes("pump");
    await downloads(second, "pump", 3);
    await expect.poll(() => counted([first, second])).toEqual([3, 0]);
    cut = true;
    return [first, second];
  }

  it("tell them once where the first falls silent without leaving, too", async () => {
    const [first, second] = await firstWithoutStore();
    for (const { surroundings } of [first, second]) surroundings.clock.advance(10_000);
    expect(await counted([first])).toEqual([0]);
    await expect.poll(() => counted([first, second])).toEqual([0, 3]);
  });

  it("tell them once where the clocks were set back just before the first falls silent", async () => {
    const [first, second] = await firstWithoutStore();
    const pass = (ms: number): void => {
      for (const { surroundings } of [first, second]) surroundings.clock.advance(ms);
    };
    pass(-3_600_000);
    expect(await counted([first])).toEqual([0]);
    const after = async (): Promise<number[]> => {
      pass(2000);
      return counted([first, second]);
    };
    await expect.poll(after, { timeout: 20_000, interval: 500 }).toEqual([0, 3]);
  });
});
