import { describe, expect, it, vi } from "vitest";
import { pluginZip } from "../../builders/plugin.ts";
import type { Actor } from "../actors.ts";
import { scrapeAll, valuesOf } from "../scrape.ts";
import { type Info, namesIn } from "../shapes.ts";
import { countedWithinMs, type World } from "../world.ts";

interface Metrics {
  readonly total_plugins: number;
  readonly total_downloads: number;
  readonly total_searches: number;
  readonly active_users: number;
  readonly popular_plugins: { plugin_name: string; download_count: number }[];
  readonly recent_publishes: { plugin_name: string; version: string; published_by: string }[];
}

export const metricsOf = async (actor: Actor): Promise<Metrics> =>
  (await actor.gets("/api/v1/analytics/metrics")).json<Metrics>();

export const totalOf = async (actor: Actor, name: string): Promise<number> =>
  (await actor.reads(name)).json<Info>().total_downloads;

/** Until the download of another plugin is counted that comes after everything so far at each gateway. */
export async function everythingCounted(world: World): Promise<void> {
  const publisher = await world.publisher();
  for (const gateway of world.stack.baseUrls) {
    const actor = publisher.at(gateway);
    const name = world.name("marker");
    expect((await publisher.publishes(pluginZip({ name }))).status).toBe(201);
    await world.soon(async () => expect((await actor.fetches(name, "1.0.0")).status).toBe(200));
    await vi.waitFor(async () => expect(await totalOf(actor, name)).toBe(1), {
      timeout: countedWithinMs,
      interval: 100,
    });
  }
}

export function usageStories(world: World): void {
  describe("counting", () => {
    it("counts each whole download once, by every address, and nothing else", async () => {
      const publisher = await world.publisher();
      const name = world.name("odometer");
      for (const version of ["1.0.0", "1.1.0"]) {
        expect((await publisher.publishes(pluginZip({ name, version, ballast: 2000 }))).status).toBe(201);
      }
      const path = `/plugins/${name}/1.0.0/${name}-1.0.0.zip`;
      const { anonymous } = world;
      const elsewhere = world.elsewhere(anonymous);
      await world.soon(async () => {
        for (const each of [anonymous, elsewhere]) expect((await each.request("HEAD", path)).status).toBe(200);
      });
      const etag = (await anonymous.request("HEAD", path)).headers.get("etag") ?? "";
      expect((await anonymous.gets(path, { "if-none-match": etag })).status).toBe(304);
      expect((await anonymous.gets(path, { range: "bytes=0-99" })).status).toBe(206);
      expect((await anonymous.gets(path, { range: "bytes=99999999-" })).status).toBe(416);
      expect((await anonymous.asksForUrl(name)).status).toBe(200);
      expect((await anonymous.fetches(name, "9.9.9")).status).toBe(404);

      const all = [
        ...Array.from({ length: 5 }, () => anonymous.fetches(name, "1.0.0")),
        ...Array.from({ length: 3 }, () => elsewhere.fetches(name, "1.0.0")),
        ...Array.from({ length: 2 }, () => elsewhere.downloads(name, "1.0.0")),
        ...Array.from({ length: 4 }, () => publisher.downloads(name, "1.1.0")),
      ];
      for (const answer of await Promise.all(all)) expect(answer.status).toBe(200);
      await everythingCounted(world);

      await vi.waitFor(
        async () => {
          for (const each of [anonymous, elsewhere]) expect(await totalOf(each, name)).toBe(14);
        },
        { timeout: countedWithinMs, interval: 100 },
      );
      expect((await anonymous.gets(`/api/v1/analytics/plugins/${name}`)).json()).toEqual({
        plugin: name,
        downloads: 14,
        versions: expect.arrayContaining([
          { version: "1.0.0", downloads: 10 },
          { version: "1.1.0", downloads: 4 },
        ]),
        series: expect.any(Array),
      });
      const { releases } = (await anonymous.reads(name)).json<Info>();
      expect(Object.fromEntries(releases.map(({ version, downloads }) => [version, downloads]))).toEqual({
        "1.0.0": 10,
        "1.1.0": 4,
      });
      const popular = (await anonymous.gets("/api/v1/analytics/popular?limit=1")).json();
      expect(popular).toEqual([{ plugin_name: name, download_count: 14 }]);
      await world.soon(async () => {
        expect(namesIn(await anonymous.finds({ sort: "downloads", limit: "1" }))).toEqual([name]);
      });
      await vi.waitFor(
        async () => {
          const text = await scrapeAll(world.stack);
          const of = (version: string): number[] =>
            valuesOf(text, `registry_plugin_downloads_total{plugin="${name}",version="${version}"}`);
          // Once, however many processes there are to be scraped.
          expect([of("1.0.0"), of("1.1.0")]).toEqual([[10], [4]]);
        },
        { timeout: countedWithinMs, interval: 200 },
      );
    });

    it("tells downloads day by day, of a version as well, with the kinds of client", async () => {
      const publisher = await world.publisher();
      const name = world.name("diary");
      for (const version of ["1.0.0", "1.1.0"]) await publisher.publishes(pluginZip({ name, version }));
      const { anonymous } = world;
      await world.soon(async () => expect((await anonymous.reads(name)).status).toBe(200));
      const npm = { "user-agent": "npm/11.0.0 node/v24.0.0" };
      for (const version of ["1.0.0", "1.0.0", "1.1.0"]) {
        expect((await anonymous.fetches(name, version, "zip", npm)).status).toBe(200);
      }
      expect((await anonymous.downloads(name, "1.1.0")).status).toBe(200);
      const seriesOf = async (query: string) => {
        const answer = await anonymous.gets(`/api/v1/analytics/plugins/${name}?${query}`);
        return answer.json<{ series: { date: string; downloads: number; clients: object }[] }>().series;
      };
      // The day may have ended meanwhile.
      const lastTwo = async (query: string) => {
        const days = await seriesOf(`days=2${query}`);
        expect(days).toHaveLength(2);
        return days.filter(({ downloads }) => downloads > 0).map(({ downloads, clients }) => [downloads, clients]);
      };
      await vi.waitFor(
        async () => {
          expect(await lastTwo("")).toEqual([[4, { npm: 3, agenticraft: 1 }]]);
          expect(await lastTwo("&version=1.1.0")).toEqual([[2, { npm: 1, agenticraft: 1 }]]);
        },
        { timeout: countedWithinMs, interval: 100 },
      );
      expect(await seriesOf("")).toHaveLength(30);
      expect((await anonymous.gets(`/api/v1/analytics/plugins/${name}?version=7.7.7`)).status).toBe(404);
      const trending = await anonymous.gets("/api/v1/analytics/trending?limit=100");
      expect(trending.json<object[]>()).toContainEqual({
        plugin_name: name,
        download_count: 4,
        previous_count: 0,
        score: 4,
      });
    });

    it("tells what depends on a plugin, and what was looked for to administrators alone", async () => {
      const publisher = await world.publisher();
      const [base, needy, secret] = [world.name("base"), world.name("needy"), world.name("secretly")];
      const more = ["requirements:", "  dependencies:", `    - name: ${base}`, '      version: ">=1.0.0"'];
      await publisher.publishes(pluginZip({ name: base }));
      await publisher.publishes(pluginZip({ name: needy, more }));
      await publisher.publishes(pluginZip({ name: secret, more }), { fields: { visibility: "private" } });
      const path = `/api/v1/analytics/plugins/${base}/dependents`;
      const shown = { plugin_name: needy, version: "1.0.0", requirement: ">=1.0.0", optional: false, latest: true };
      await world.soon(async () => {
        for (const each of [world.anonymous, world.elsewhere(world.anonymous)]) {
          expect((await each.gets(path)).json()).toEqual({ dependents: [shown], next_cursor: null });
        }
        const { dependents } = (await publisher.gets(path)).json<{ dependents: { plugin_name: string }[] }>();
        expect(dependents.map((each) => each.plugin_name).sort()).toEqual([needy, secret].sort());
      });

      const word = world.name("unfindable");
      for (let i = 0; i < 3; i += 1) await world.anonymous.finds({ query: word.toUpperCase() });
      const searches = "/api/v1/analytics/searches?without_results=true&limit=100&days=2";
      await vi.waitFor(
        async () => {
          const answer = (await world.admin.gets(searches)).json<{ searches: object[] }>();
          expect(answer.searches).toContainEqual({ query: word, count: 3, without_results: 3 });
        },
        { timeout: countedWithinMs, interval: 200 },
      );
      expect((await publisher.gets(searches)).status).toBe(403);
      expect((await world.anonymous.gets(searches)).status).toBe(401);
    });

    it("counts each search once", async () => {
      await everythingCounted(world);
      const before = await metricsOf(world.anonymous);
      const word = world.name("sought");
      for (let i = 0; i < 3; i += 1) {
        await world.anonymous.finds({ query: word });
        await world.elsewhere(world.anonymous).searches({ q: word });
      }
      await world.anonymous.finds({ limit: "1" });
      await everythingCounted(world);
      expect((await metricsOf(world.anonymous)).total_searches).toBe(before.total_searches + 6);
    });

    it("tells of the registry as a whole, and of nothing private", async () => {
      const publisher = await world.publisher();
      const [shown, hidden] = [world.name("parade"), world.name("bunker")];
      await publisher.publishes(pluginZip({ name: shown }));
      await publisher.publishes(pluginZip({ name: hidden }), { fields: { visibility: "private" } });
      expect((await publisher.fetches(hidden, "1.0.0")).status).toBe(200);
      await everythingCounted(world);
      await vi.waitFor(
        async () => {
          const metrics = await metricsOf(world.anonymous);
          expect(metrics.recent_publishes.find((recent) => recent.plugin_name === shown)).toMatchObject({
            version: "1.0.0",
            published_by: publisher.username,
          });
          expect(metrics.active_users).toBeGreaterThan(0);
          const { plugins_count } = (await world.anonymous.gets("/")).json<{ plugins_count: number }>();
          expect(metrics.total_plugins).toBe(plugins_count);
        },
        { timeout: countedWithinMs, interval: 100 },
      );
      for (const path of ["/api/v1/analytics/metrics", "/api/v1/analytics/popular?limit=100"]) {
        expect((await world.anonymous.gets(path)).text).not.toContain(hidden);
      }
      const scraped = await scrapeAll(world.stack);
      expect(scraped).not.toContain(hidden);
      expect(scraped).toContain('plugin="_private"');
    });
  });
}
