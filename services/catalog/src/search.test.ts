import { SearchSort } from "@registry/contracts/catalog";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { anonymous, owner, type Replica, stranger, World } from "./testing/world.ts";

let world: World;
let replica: Replica;
let elsewhere: Replica;

const packages = [
  {
    name: "weather-forecast",
    title: "Weather Forecast",
    description: "Tells tomorrow's weather",
    tags: ["Weather", "api"],
  },
  { name: "weather-alerts", title: "Alerts", description: "Warns of storms", tags: ["weather"] },
  {
    name: "sql-agent",
    title: "SQL Agent",
    description: "Asks databases",
    tags: ["data", "api"],
    capabilities: ["query"],
  },
  { name: "summarizer", title: "Summarizer", description: "Makes long texts short", author: { name: "Zoë Müller" } },
  { name: "map", title: "Map", description: "Weather is not its affair, but it mentions it", tags: ["geo"] },
];

beforeAll(async () => {
  world = await World.open();
  replica = await world.replica();
  elsewhere = await world.replica();
  for (const [i, { name, ...record }] of packages.entries()) {
    const by = i === 2 ? stranger : owner;
    const more = { kind: i === 2 ? "agent" : "tool" };
    const category = i === 3 ? "productivity" : "data";
    const uploadId = world.upload(by, { name, version: "1.0.0", record: { category, ...record }, more });
    await replica.client.publishRelease({ uploadId }, replica.as(by));
    world.clock.advance(1000);
  }
});
afterAll(() => world.close());

async function find(request: object, on = replica): Promise<string[]> {
  const { plugins, total } = await on.client.searchPlugins(request, on.as(anonymous));
  expect(total).toBeGreaterThanOrEqual(plugins.length);
  return plugins.map((plugin) => plugin.name);
}

describe("a search", () => {
  it.each([
    ["weather-forecast", "weather-forecast"],
    ["forecast", "weather-forecast"],
    ["weatherforecast", "weather-forecast"],
    ["forcast", "weather-forecast"],
    ["waether froecast", "weather-forecast"],
    ["WEATHER forec", "weather-forecast"],
    ["summ", "summarizer"],
    ["sumarizer", "summarizer"],
    ["zoe muller", "summarizer"],
    ["storms", "weather-alerts"],
    ["query", "sql-agent"],
    ["map", "map"],
  ])("for %j finds %s first", async (query, first) => {
    expect((await find({ query }))[0]).toBe(first);
  });

  it("ranks names over mentions, and takes one word where no plugin holds all", async () => {
    const found = await find({ query: "weather" });
    expect(found.at(-1)).toBe("map");
    expect(found).toHaveLength(3);
    expect(await find({ query: "storms databases" })).toEqual(expect.arrayContaining(["weather-alerts", "sql-agent"]));
    expect(await find({ query: "xylophone" })).toEqual([]);
  });

  it("is narrowed by tags, kinds, category and owner", async () => {
    expect((await find({ tags: ["WEATHER"] })).sort()).toEqual(["weather-alerts", "weather-forecast"]);
    expect(await find({ tags: ["weather", "api"] })).toEqual(["weather-forecast"]);
    expect(await find({ kinds: ["agent", "skill"] })).toEqual(["sql-agent"]);
    expect(await find({ category: "Productivity" })).toEqual(["summarizer"]);
    expect(await find({ owner: "stefan" })).toEqual(["sql-agent"]);
    expect(await find({ query: "weather", owner: "stefan" })).toEqual([]);
  });

  it("comes in the order asked for, page by page, with an exact total", async () => {
    const names = packages.map((pack) => pack.name);
    const { SEARCH_SORT_CREATED, SEARCH_SORT_NAME, SEARCH_SORT_UPDATED } = SearchSort;
    expect(await find({ sort: SEARCH_SORT_NAME })).toEqual([...names].sort());
    expect(await find({ sort: SEARCH_SORT_CREATED })).toEqual([...names].reverse());
    expect(await find({ sort: SEARCH_SORT_UPDATED })).toEqual([...names].reverse());
    expect(await find({ sort: SEARCH_SORT_NAME, limit: 2, offset: 2 })).toEqual([...names].sort().slice(2, 4));
    const page = await replica.client.searchPlugins({ limit: 1, offset: 3 }, replica.as(anonymous));
    expect(page).toMatchObject({ total: 5, plugins: [expect.anything()] });
    const list = await replica.client.listPlugins({ page: { pageSize: 3 } }, replica.as(anonymous));
    const rest = await replica.client.listPlugins({ page: { pageToken: list.nextPageToken } }, replica.as(anonymous));
    expect([...list.plugins, ...rest.plugins].map((plugin) => plugin.name)).toEqual([...names].sort());
    expect(rest.nextPageToken).toBe("");
    expect(list.updatedAt?.getTime()).toBeGreaterThan(Date.now());
  });

  it.each([
    [{ query: "x".repeat(257) }, "INVALID_QUERY"],
    [{ tags: Array.from({ length: 21 }, String) }, "INVALID_QUERY"],
    [{ limit: 101 }, "INVALID_LIMIT"],
    [{ limit: -1 }, "INVALID_LIMIT"],
    [{ offset: 10_001 }, "INVALID_OFFSET"],
  ])("of %j is refused by name", async (request, reason) => {
    await expect(find(request)).rejects.toMatchObject({ kind: "invalid_argument", reason });
  });

  it("answers whatever is asked", async () => {
    const text = fc.oneof(
      fc.string({ maxLength: 256, unit: "binary" }),
      fc.constantFrom("__proto__", "constructor", "*", "$where", "a ".repeat(128)),
    );
    const requests = fc.record({ query: text, tags: fc.array(text, { maxLength: 3 }), owner: text, category: text });
    await fc.assert(
      fc.asyncProperty(requests, async (request) => {
        const query = request.query.slice(0, 256);
        const { total, plugins } = await replica.client.searchPlugins({ ...request, query }, replica.as(anonymous));
        expect(total).toBe(plugins.length);
        expect(total).toBeLessThanOrEqual(packages.length);
      }),
      { numRuns: 300 },
    );
  });
});

it("counts downloads by totals, whatever comes twice or late, on every replica", async () => {
  const count = (downloads: number) =>
    world.count([
      { plugin: "map", downloads, versions: { "1.0.0": downloads } },
      { plugin: "never-was", downloads, versions: {} },
      { plugin: "../x", downloads, versions: {} },
    ]);
  for (const total of [5, 7, 6, 7]) await count(total);
  const { details } = await replica.client.getPlugin({ name: "map" }, replica.as(anonymous));
  expect(details).toMatchObject({ plugin: { downloads: 7, revision: 1 }, release: { downloads: 7 } });
  await vi.waitFor(async () => expect((await find({}, elsewhere))[0]).toBe("map"), { timeout: 5000 });
  expect((await find({ sort: SearchSort.SEARCH_SORT_DOWNLOADS }))[0]).toBe("map");
});

it("knows of a change that its caller knows of, on the replica that has not heard of it", async () => {
  const uploadId = world.upload(owner, { name: "brand-new", version: "1.0.0", record: { category: "data" }, more: {} });
  await replica.client.publishRelease({ uploadId }, replica.as(owner));
  expect(await find({ query: "brand", changedNames: ["brand-new", "../x", ""] }, elsewhere)).toEqual(["brand-new"]);
  await replica.client.deletePlugin({ name: "brand-new" }, replica.as(owner));
  const listed = await elsewhere.client.listPlugins({ changedNames: ["brand-new"] }, elsewhere.as(anonymous));
  expect(listed.plugins.map((plugin) => plugin.name)).not.toContain("brand-new");
  const tooMany = Array.from({ length: 101 }, (_, i) => `n${i}`);
  await expect(find({ changedNames: tooMany }, elsewhere)).rejects.toMatchObject({ kind: "invalid_argument" });
});

it("is told of by a replica that started later", async () => {
  const late = await world.replica();
  expect(await find({ sort: SearchSort.SEARCH_SORT_NAME }, late)).toEqual(packages.map((pack) => pack.name).sort());
  expect(await late.service.checks()).toEqual({ database: true, bus: true });
});

it("has details beside it, as the plugin's own page shows them", async () => {
  const { details } = await replica.client.searchPlugins({ query: "map", withDetails: true }, replica.as(anonymous));
  const page = await replica.client.getPlugin({ name: "map" }, replica.as(anonymous));
  expect(details[0]).toEqual({ ...page.details, release: { ...page.details?.release, files: [], findings: [] } });
});
