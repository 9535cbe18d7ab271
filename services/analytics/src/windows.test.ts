import type { Documents } from "@registry/documents";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { Rollup } from "./model/rollup.ts";
import { dayMs, dayOf } from "./model/time.ts";
import { composeReplica, openWorld, type World } from "./testing/harness.ts";

const plugins = 300;
const days = 20;

let world: World;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => world.close());

/** The store, and how much of the counts each reading of them brought. */
function watched(documents: Documents): { documents: Documents; readings: number[] } {
  const readings: number[] = [];
  const collection: Documents["collection"] = async (spec) => {
    const all = await documents.collection(spec);
    if (spec.name !== "rollups") return all as never;
    const find = async (...args: Parameters<typeof all.find>) => {
      const found = await all.find(...args);
      readings.push(found.length);
      return found;
    };
    return Object.assign(Object.create(all), { find, updateEach: all.updateEach.bind(all) });
  };
  const { ping, close } = documents;
  return { documents: { ping: ping.bind(documents), close: close.bind(documents), collection }, readings };
}

it("what is popular over many plugins is read in pieces, and once for all who ask at that moment", async () => {
  const { documents, readings } = watched(world.documents);
  const replica = await composeReplica(world, { documents });
  const { clock } = replica.surroundings;
  const today = dayOf(clock.now()).getTime();
  const names = Array.from({ length: plugins }, (_, i) => `plugin-${i}`);
  const known = await world.documents.collection<{ _id: string }>({ name: "plugins", indexes: [] });
  await known.insertNew(names.map((_id) => ({ _id, visibility: "public", revision: 1 })));
  const rollups = await world.documents.collection<Rollup>({ name: "rollups", indexes: [] });
  for (let ago = 0; ago < days; ago++) {
    const start = new Date(today - ago * dayMs);
    const day = { level: "plugin-day", start, up: [] } as const;
    await rollups.insertNew(
      names.map((plugin, i) => ({ ...day, _id: `plugin-day|${plugin}|${start.toISOString()}`, plugin, count: i + 1 })),
    );
  }
  const ask = async () => (await replica.analytics.getPopular({ limit: 1 })).plugins;
  const first = { plugin: "plugin-299", downloadCount: plugins * days };
  expect(await Promise.all(Array.from({ length: 20 }, ask))).toEqual(Array(20).fill([first]));
  const read = readings.splice(0);
  expect(read.reduce((sum, count) => sum + count)).toBe(plugins * days);
  expect(Math.max(...read)).toBeLessThan((plugins * days) / 2);

  // What was dear is told once more, and not for long.
  await rollups.updateMany({ plugin: "plugin-299" }, { $set: { count: 1000 } });
  clock.advance(10_000);
  expect(await ask()).toEqual([{ ...first, downloadCount: 1000 * days }]);
  expect(readings.splice(0).length).toBeGreaterThan(0);
  await ask();
  expect(readings).toEqual([]);
  await replica.close();
});
