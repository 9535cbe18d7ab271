import { afterEach, beforeEach, expect, it } from "vitest";
import { anonymous, owner, type Replica, World } from "./testing/world.ts";

let world: World;
let replica: Replica;

beforeEach(async () => {
  world = await World.open();
  replica = await world.replica();
});
afterEach(() => world.close());

const publish = (name: string, version: string) =>
  replica.client.publishRelease({ uploadId: world.upload(owner, { name, version }) }, replica.as(owner));

async function shown(name: string): Promise<object> {
  const { details } = await replica.client.getPlugin({ name }, replica.as(anonymous));
  const releases = details?.releases.map(({ version, downloads }) => [version, downloads]) ?? [];
  return { total: details?.plugin?.downloads, ...Object.fromEntries(releases) };
}

it("shows the totals of all plugins of an event, and of one that is told in parts", async () => {
  for (const name of ["one", "two"]) await publish(name, "1.0.0");
  await publish("one", "1.1.0");
  await world.count([
    { plugin: "one", downloads: 12, versions: { "1.0.0": 5, "9.9.9": 1 } },
    { plugin: "gone", downloads: 3, versions: { "1.0.0": 3 } },
    { plugin: "two", downloads: 4, versions: { "1.0.0": 4 } },
  ]);
  await expect.poll(() => shown("two")).toEqual({ total: 4, "1.0.0": 4 });
  expect(await shown("one")).toEqual({ total: 12, "1.0.0": 5, "1.1.0": 0 });
  await world.count([{ plugin: "one", downloads: 12, versions: { "1.1.0": 7 } }]);
  await expect.poll(() => shown("one")).toEqual({ total: 12, "1.0.0": 5, "1.1.0": 7 });
});

it("resolves downloads by the releases as they are, however often these are counted", async () => {
  const resolve = async (version: string) =>
    (await replica.client.resolveDownload({ name: "one", version }, replica.as(anonymous))).release?.version;
  let total = 0;
  const count = async () => {
    total += 1;
    await world.count([{ plugin: "one", downloads: total, versions: { "1.0.0": total } }]);
    await expect.poll(() => shown("one")).toMatchObject({ total });
  };
  await publish("one", "1.0.0");
  expect(await resolve("^1")).toBe("1.0.0");
  await count();
  expect(await resolve("^1")).toBe("1.0.0");
  await publish("one", "1.1.0");
  await count();
  expect(await resolve("^1")).toBe("1.1.0");
  await replica.client.yankRelease({ name: "one", version: "1.1.0", reason: "Broken" }, replica.as(owner));
  expect(await resolve("^1")).toBe("1.0.0");
  await count();
  await replica.client.deleteRelease({ name: "one", version: "1.0.0", reason: "Wrong" }, replica.as(owner));
  await expect(resolve("1.0.0")).rejects.toMatchObject({ kind: "gone" });
});
