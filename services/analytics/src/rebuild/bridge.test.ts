import type { Bus } from "@registry/bus";
import { unavailable } from "@registry/domain";
import { userCaller } from "@registry/kit/testing";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { as, composeReplica, download, gateway, openWorld, type Replica, type World } from "../testing/harness.ts";
import { History } from "../testing/history.ts";
import { StandInCatalog } from "../testing/neighbours.ts";

let world: World;
let catalog: StandInCatalog;
let replica: Replica;
let isAway = false;
let told: History;
/** What happens in the catalog without a word to anybody: its events wait in the outbox. */
let untold: History;
beforeEach(async () => {
  isAway = false;
  world = await openWorld();
  catalog = new StandInCatalog();
  const ping = () => (isAway ? Promise.reject(unavailable("The bus")) : world.bus.ping());
  const calls = ["publish", "subscribe", "tap", "lag", "generation"] as const;
  const bus = Object.fromEntries(calls.map((name) => [name, (world.bus[name] as () => unknown).bind(world.bus)]));
  replica = await composeReplica(world, { bus: { ...bus, ping } as unknown as Bus });
  replica.surroundings.host(catalog.table());
  await replica.service.start();
  told = new History({ world, catalog, replica });
  untold = new History({ world: { publish: async () => undefined }, catalog, replica });
});
afterEach(async () => {
  await replica.close();
  await world.close();
});

const reader = () => as(replica, userCaller("rita", "user", 13));
async function named(): Promise<string[]> {
  const { plugins } = await replica.analytics.getPopular({}, reader());
  const { recentPublishes } = await replica.analytics.getMetrics({}, reader());
  const text = await replica.surroundings.metrics.registry.metrics();
  const exported = [...text.matchAll(/downloads_total\{plugin="([a-z]+)"/g)].map(([, name = ""]) => name);
  return [...plugins, ...recentPublishes, ...exported.map((plugin) => ({ plugin }))].map(({ plugin }) => plugin);
}

it("names nothing for long that went out of sight while the bus is away, and asks nobody while it is there", async () => {
  for (const plugin of ["a", "c"] as const) {
    await told.do({ kind: "publish", plugin, version: "1.0.0" });
    await replica.analytics.recordUsage({ downloads: [download(`d-${plugin}`, plugin)] }, gateway);
  }
  expect((await named()).toSorted()).toEqual(["a", "a", "a", "c", "c", "c"]);
  expect(catalog.askedSince).toEqual([]);

  isAway = true;
  // Revisions of both histories go on from what there is.
  for (let i = 0; i < 10; i++) await untold.do({ kind: "hide", plugin: "a", visibility: "private" });
  replica.surroundings.clock.advance(3000);
  await vi.waitFor(async () => expect(new Set(await named())).toEqual(new Set(["c"])), { timeout: 8000 });

  for (let i = 0; i < 10; i++) await untold.do({ kind: "quarantine", plugin: "c", version: "1.0.0" });
  await vi.waitFor(
    async () => {
      replica.surroundings.clock.advance(3000);
      expect(await named()).toEqual([]);
    },
    { timeout: 8000, interval: 500 },
  );
});
