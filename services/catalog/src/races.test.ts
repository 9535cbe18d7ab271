import { ReleaseState } from "@registry/contracts/catalog";
import type { Caller } from "@registry/domain";
import { unavailable } from "@registry/domain";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Hook } from "./testing/faults.ts";
import { anonymous, owner, type Package, type Replica, stranger, World } from "./testing/world.ts";

let world: World;
let one: Replica;
let two: Replica;

beforeEach(async () => {
  world = await World.open();
  one = await world.replica();
  two = await world.replica();
});
afterEach(() => world.close());

function publish(by: Replica, caller: Caller, pack: Package) {
  return by.client.publishRelease({ uploadId: world.upload(caller, pack) }, by.as(caller));
}
const get = (by: Replica, name: string) => by.client.getPlugin({ name }, by.as(anonymous));
const kinds = (results: readonly PromiseSettledResult<unknown>[]): string[] =>
  results.map((result) => (result.status === "fulfilled" ? "ok" : String(result.reason.kind))).sort();
/** Two relays on one bus may both send an event; its id tells. */
const published = () => {
  const events = world.events.filter((event) => event.subject === "registry.catalog.release.published");
  return [...new Map(events.map((event) => [event.id, event])).values()];
};

describe("at once, on two replicas", () => {
  it.each([1, 2, 3])("the same bytes all succeed, and are told of once (%i)", async () => {
    const pack = { name: "one", version: "1.0.0" };
    const results = await Promise.all([one, two, one, two].map((by) => publish(by, owner, pack)));
    expect(results.filter((result) => result.created)).toHaveLength(1);
    for (const result of results) expect(result.plugin).toMatchObject({ latest: "1.0.0" });
    expect((await get(two, "one")).details?.versions).toEqual(["1.0.0"]);
    await vi.waitFor(() => expect(published()).toHaveLength(1));
    await expectClean();
  });

  it.each([1, 2, 3])("of other bytes exactly one succeeds (%i)", async () => {
    const packs = ["a", "b", "c", "d"].map((content) => ({ name: "one", version: "1.0.0", content }));
    const results = await Promise.allSettled(packs.map((pack, i) => publish(i % 2 ? one : two, owner, pack)));
    expect(kinds(results).filter((kind) => kind === "ok")).toHaveLength(1);
    expect(kinds(results).every((kind) => ["ok", "already_exists", "conflict"].includes(kind))).toBe(true);
    await vi.waitFor(() => expect(published()).toHaveLength(1));
    await expectClean();
  });

  it.each([1, 2, 3])("a new name gets exactly one owner (%i)", async () => {
    const results = await Promise.allSettled([
      publish(one, owner, { name: "one", version: "1.0.0" }),
      publish(two, stranger, { name: "one", version: "2.0.0" }),
      publish(one, stranger, { name: "one", version: "3.0.0" }),
      publish(two, owner, { name: "o.n.e", version: "1.0.0" }),
    ]);
    const owners = results.flatMap((result) =>
      result.status === "fulfilled" ? (result.value.plugin?.owner ?? []) : [],
    );
    expect(new Set(owners).size).toBe(1);
    await expectClean();
  });

  it("many versions of one plugin all arrive, and the last word is right", async () => {
    const versions = Array.from({ length: 12 }, (_, i) => `1.${i}.0`);
    await Promise.all(versions.map((version, i) => publish(i % 2 ? one : two, owner, { name: "one", version })));
    const { details } = await get(two, "one");
    expect(details?.plugin?.latest).toBe("1.11.0");
    expect(details?.versions).toEqual([...versions].reverse());
    await vi.waitFor(() => expect(published()).toHaveLength(versions.length));
    const revisions = published().map((event) => (event.data as { revision: string }).revision);
    expect(new Set(revisions).size).toBe(versions.length);
  });

  it("publish and delete leave what the last one says", async () => {
    await publish(one, owner, { name: "one", version: "1.0.0" });
    await Promise.allSettled([
      publish(one, owner, { name: "one", version: "2.0.0" }),
      two.client.deletePlugin({ name: "one" }, two.as(owner)),
    ]);
    const answer = await get(one, "one").catch((error: unknown) => error);
    const { releases } = await truth();
    const standing = releases.filter((release) => release.state === "published").map((release) => release.version);
    if (standing.length === 0) expect(answer).toMatchObject({ kind: "gone" });
    else expect(answer).toMatchObject({ details: { versions: standing } });
  });

  it("another replica learns of a change by itself, and tells those who watch it", async () => {
    const watched = two.client.watchChanges({}, { ...two.as({ type: "service", name: "gateway" }), timeoutMs: 0 });
    const messages = watched[Symbol.asyncIterator]();
    const first = await messages.next();
    expect(first.value).toMatchObject({ names: [], sequence: 0 });
    await publish(one, owner, { name: "one", version: "1.0.0" });
    let heard = await messages.next();
    while (!heard.done && heard.value.names.length === 0) heard = await messages.next();
    expect(heard.value).toMatchObject({ names: ["one"], instance: first.value?.instance });
    expect((await two.client.searchPlugins({ query: "one" }, two.as(anonymous))).total).toBe(1);
    await messages.return?.();
  });
});

/** Every write and every call on the way, each failing on either side. */
const points: readonly (readonly [string, (world: World) => void])[] = [
  ...(["before", "after"] as const).flatMap((moment) =>
    (
      [
        ["plugins", "insertOne"],
        ["releases", "insertOne"],
        ["plugins", "findOneAndUpdate"],
        ["releases", "updateOne"],
      ] as const
    ).map(([collection, method]): readonly [string, (world: World) => void] => [
      `${moment} ${method} of ${collection}`,
      (at) => {
        at.hook = failAt(collection, method, moment);
      },
    ]),
  ),
  [
    "at the commit of the bytes",
    (at) => {
      at.storage.before = (method) => {
        if (method === "commitUpload") throw unavailable("Storage");
      };
    },
  ],
];

/** From that point on the store is away, so nothing can be cleaned up either. */
function failAt(collection: string, method: string, moment: string): Hook {
  let away = false;
  return (call) => {
    if (call.collection === collection && call.method === method && call.moment === moment) away = true;
    if (away) throw unavailable("The store");
  };
}

describe("a crash", () => {
  it.each(points)("%s leaves all or nothing, and the same request again ends well", async (_, fail) => {
    fail(world);
    const pack = { name: "one", version: "1.0.0" };
    await expect(publish(one, owner, pack)).rejects.toMatchObject({ kind: "unavailable" });
    world.hook = undefined;
    world.storage.before = () => {};
    const again = await publish(two, owner, pack);
    expect(again).toMatchObject({
      plugin: { latest: "1.0.0" },
      release: { state: ReleaseState.RELEASE_STATE_PUBLISHED },
    });
    await vi.waitFor(() => expect(published()).toHaveLength(1));
    await expectClean();
  });

  it.each(points)("%s is healed without anybody asking", async (_, fail) => {
    fail(world);
    await expect(publish(one, owner, { name: "one", version: "1.0.0" })).rejects.toMatchObject({ kind: "unavailable" });
    world.hook = undefined;
    world.storage.before = () => {};
    world.clock.advance(601_000);
    const sweeping = await world.replica({ sweepSeconds: 0.05 });
    await vi.waitFor(expectClean, { timeout: 10_000 });
    const { releases } = await truth();
    if (releases.some((release) => release.state === "published")) {
      expect((await get(sweeping, "one")).details?.versions).toEqual(["1.0.0"]);
      await vi.waitFor(() => expect(published()).toHaveLength(1));
    } else {
      const next = await publish(sweeping, stranger, { name: "one", version: "1.0.0", content: "other" });
      expect(next.plugin?.owner).toBe("stefan");
    }
  });

  it("in the middle of a deletion is ended by the sweeper", async () => {
    for (const version of ["1.0.0", "2.0.0", "3.0.0"]) await publish(one, owner, { name: "one", version });
    let writes = 0;
    world.hook = ({ collection, moment }) => {
      if (collection === "releases" && moment === "after" && ++writes > 1) throw unavailable("The store");
    };
    await expect(one.client.deletePlugin({ name: "one" }, one.as(owner))).rejects.toMatchObject({
      kind: "unavailable",
    });
    world.hook = undefined;
    world.clock.advance(60_000);
    const sweeping = await world.replica({ sweepSeconds: 0.05 });
    await vi.waitFor(() => expect(get(sweeping, "one")).rejects.toMatchObject({ kind: "gone" }), { timeout: 10_000 });
    await vi.waitFor(() =>
      expect(world.events.map((event) => event.subject)).toContain("registry.catalog.plugin.deleted"),
    );
  });

  it("of a publisher that sleeps past its abandonment makes it start over", async () => {
    let wake: () => void = () => {};
    const asleep = new Promise<void>((resolve) => {
      wake = resolve;
    });
    let committing = 0;
    world.storage.before = async (method) => {
      if (method === "commitUpload" && ++committing === 1) await asleep;
    };
    const sleeper = publish(one, owner, { name: "one", version: "1.0.0" });
    await vi.waitFor(() => expect(committing).toBe(1));
    world.clock.advance(601_000);
    const sweeping = await world.replica({ sweepSeconds: 0.05 });
    await vi.waitFor(async () => expect((await truth()).plugins).toEqual([]));
    const taken = await publish(sweeping, stranger, { name: "one", version: "1.0.0", content: "other" });
    expect(taken.created).toBe(true);
    wake();
    await expect(sleeper).rejects.toMatchObject({ kind: expect.stringMatching(/permission_denied|not_found/) });
    expect((await get(one, "one")).details?.plugin?.owner).toBe("stefan");
    await expectClean();
  });
});

interface Row {
  readonly _id: string;
  readonly state?: string;
  readonly version?: string;
  readonly published?: boolean;
  readonly projectSince?: Date;
}

async function truth(): Promise<{ plugins: Row[]; releases: Row[] }> {
  const plugins = await world.documents.collection<Row>({ name: "plugins", indexes: [] });
  const releases = await world.documents.collection<Row>({ name: "releases", indexes: [] });
  return { plugins: await plugins.find({}), releases: await releases.find({}) };
}

/** Nothing half done is in the store. */
async function expectClean(): Promise<void> {
  const { plugins, releases } = await truth();
  expect(plugins.filter((plugin) => plugin.published === false)).toEqual([]);
  expect(releases.filter((release) => release.state === "staged")).toEqual([]);
  expect(releases.filter((release) => release.projectSince !== undefined)).toEqual([]);
}
