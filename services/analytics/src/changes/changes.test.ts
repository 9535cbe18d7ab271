import type { Change, ListChangesRequest, ListChangesResponse } from "@registry/contracts/changes";
import { PluginDeleted, PluginUpdated, ReleaseDeleted, ReleasePublished } from "@registry/contracts/events";
import { type Caller, isAdmin } from "@registry/domain";
import { userCaller } from "@registry/kit/testing";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { as, composeReplica, openWorld, type Replica, type Shows, type World } from "../testing/harness.ts";
import { cursorOf } from "./cursor.ts";

const reader = userCaller("rita", "user", 13);
const admin = userCaller("ada", "admin", 1);
const dayMs = 86_400_000;

let world: World;
let shows: Shows = () => true;
const replicas: Replica[] = [];
const replica = async (laterMs = 0): Promise<Replica> => {
  const made = await composeReplica(world, { shows: (...asked) => shows(...asked) });
  made.surroundings.clock.advance(laterMs);
  await made.service.start();
  replicas.push(made);
  return made;
};
beforeEach(async () => {
  world = await openWorld();
  shows = () => true;
});
afterEach(async () => {
  for (const each of replicas.splice(0)) await each.close();
  await world.close();
});

const publish = (plugin: string, version = "1.0.0", id?: string) =>
  world.publish(
    "registry.catalog.release.published",
    ReleasePublished.fromPartial({ plugin, version, sha256: "ab", visibility: "public", publishedBy: "olga" }),
    id,
  );
const ask = (at: Replica, request: Partial<ListChangesRequest> = {}, caller: Caller = reader) =>
  at.changes.listChanges({ limit: 0, since: "", head: "", ...request }, as(at, caller));
const told = ({ type, plugin, version }: Change): string => `${type} ${plugin}@${version}`;

/** Follows `next` until there is no more. */
async function readOn(at: Replica, since: string, caller: Caller = reader, limit = 0) {
  const changes: Change[] = [];
  let page: ListChangesResponse;
  let next = since;
  do {
    page = await ask(at, { since: next, limit }, caller);
    changes.push(...page.changes);
    next = page.next;
  } while (page.more);
  return { changes, next };
}

describe("the feed", () => {
  it("skips nothing and tells nothing twice, however many replicas append while others read", async () => {
    const writers = [await replica(), await replica(), await replica()];
    const expected = Array.from({ length: 150 }, (_, i) => `pump-${i}`);
    let writing = true;
    const follow = async (at: Replica, limit: number): Promise<string[]> => {
      const heard: string[] = [];
      let next = "";
      while (writing || heard.length < expected.length) {
        const page = await ask(at, { since: next, limit });
        heard.push(...page.changes.map(({ plugin }) => plugin));
        next = page.next;
        if (!page.more) await new Promise((resolve) => setTimeout(resolve, 5));
      }
      return heard;
    };
    const readers = writers.flatMap((at, i) => [follow(at, 1 + i), follow(at, 7), follow(at, 0)]);
    // Each one twice, as a bus may deliver it.
    await Promise.all(
      expected.flatMap((plugin) => [publish(plugin, "1.0.0", plugin), publish(plugin, "1.0.0", plugin)]),
    );
    writing = false;
    const [first, ...others] = await Promise.all(readers);
    expect(first?.toSorted()).toEqual(expected.toSorted());
    for (const other of others) expect(other).toEqual(first);
  }, 30_000);

  it("goes on where somebody was a day ago, and says so where that is not kept any more", async () => {
    const at = await replica();
    await publish("pump");
    const { changes, next } = await vi.waitFor(async () => {
      const read = await readOn(at, "");
      expect(read.changes).toHaveLength(1);
      return read;
    });
    expect(changes[0]).toMatchObject({ type: "release.published", plugin: "pump", version: "1.0.0", sha256: "ab" });

    for (const each of replicas) each.surroundings.clock.advance(dayMs);
    await publish("valve");
    await vi.waitFor(async () => {
      const later = await readOn(at, next);
      expect(later.changes.map(told)).toEqual(["release.published valve@1.0.0"]);
    });

    // The first row has aged out for a process of three months later.
    const start = cursorOf(at.surroundings.keys, 0);
    const later = await replica(90.5 * dayMs);
    await vi.waitFor(async () =>
      expect(ask(later, { since: start })).rejects.toMatchObject({ kind: "gone", reason: "CURSOR_EXPIRED" }),
    );
    expect((await readOn(later, "")).changes.map(told)).toEqual(["release.published valve@1.0.0"]);
    expect((await readOn(later, next)).changes.map(told)).toEqual(["release.published valve@1.0.0"]);
    await publish("crank");
    await vi.waitFor(async () => {
      const [, crank] = (await readOn(later, next)).changes.map(told);
      expect(crank).toBe("release.published crank@1.0.0");
    });
  });

  it("takes no place that it has not come to yet: those are of a store that was taken back to a copy", async () => {
    const at = await replica();
    await publish("pump");
    const { next } = await vi.waitFor(async () => {
      const read = await readOn(at, "");
      expect(read.changes).toHaveLength(1);
      return read;
    });
    const ahead = cursorOf(at.surroundings.keys, 2);
    await expect(ask(at, { since: ahead })).rejects.toMatchObject({ kind: "gone", reason: "CURSOR_EXPIRED" });
    // A replica that has not read so far itself looks first.
    const other = await composeReplica(world, { shows: (...asked) => shows(...asked) });
    expect((await ask(other, { since: cursorOf(at.surroundings.keys, 0) })).changes.map(told)).toHaveLength(1);
    await publish("valve");
    await vi.waitFor(async () => expect((await readOn(at, next)).changes).toHaveLength(1));
    expect((await ask(other, { since: ahead })).changes).toEqual([]);
    await other.close();
  });

  it("begins anywhere: at the oldest, now, and after each change", async () => {
    const at = await replica();
    for (const plugin of ["pump", "valve", "crank"]) await publish(plugin);
    const { changes } = await vi.waitFor(async () => {
      const read = await readOn(at, "", reader, 1);
      expect(read.changes).toHaveLength(3);
      return read;
    });
    for (const [i, { cursor }] of changes.entries()) {
      expect((await readOn(at, cursor)).changes.map(({ id }) => id)).toEqual(changes.slice(i + 1).map(({ id }) => id));
    }
    const now = await ask(at, { since: "now" });
    expect([now.changes, now.more]).toEqual([[], false]);
    await publish("lever");
    await vi.waitFor(async () =>
      expect((await readOn(at, now.next)).changes.map(told)).toEqual(["release.published lever@1.0.0"]),
    );
  });

  it("has cursors that say nothing, are not made up, and know their registry", async () => {
    const at = await replica();
    const [one, other] = [await ask(at, { since: "now" }), await ask(at, { since: "now" })];
    expect(one.next).not.toBe(other.next);
    for (const since of [
      "x",
      "0",
      one.next.slice(1),
      `${one.next}A`,
      one.next.replace(/^./, (c) => (c === "A" ? "B" : "A")),
    ]) {
      await expect(ask(at, { since })).rejects.toMatchObject({ kind: "gone", reason: "CURSOR_EXPIRED" });
    }
    await expect(ask(at, { limit: 501 })).rejects.toMatchObject({ reason: "INVALID_LIMIT" });
  });

  it("tells what one may know now, and goes on through what one may not", async () => {
    const at = await replica();
    const hidden = new Set(["secret"]);
    shows = (caller, name) => isAdmin(caller) || !hidden.has(name);
    for (let i = 0; i < 30; i++) await publish("secret", `1.0.${i}`);
    await publish("pump");
    await vi.waitFor(async () => expect((await readOn(at, "", admin)).changes).toHaveLength(31));
    const { changes } = await readOn(at, "", reader, 1);
    expect(changes.map(told)).toEqual(["release.published pump@1.0.0"]);
    hidden.add("pump");
    expect((await readOn(at, "")).changes).toEqual([]);
    expect((await readOn(at, "", admin)).changes).toHaveLength(31);
  });

  it("tells of a release's end to those who could see it, and of a hidden one nothing else", async () => {
    const at = await replica();
    shows = (_caller, _name, version) => ({ plugin: true, release: version !== "1.0.0" });
    await publish("pump", "1.0.0");
    await publish("pump", "1.1.0");
    const deleted = ReleaseDeleted.fromPartial({ plugin: "pump", version: "1.0.0", deletedBy: "ada" });
    await world.publish("registry.catalog.release.deleted", deleted);
    await world.publish(
      "registry.catalog.plugin.updated",
      PluginUpdated.fromPartial({ plugin: "pump", updatedBy: "ada" }),
    );
    await world.publish(
      "registry.catalog.plugin.deleted",
      PluginDeleted.fromPartial({ plugin: "pump", deletedBy: "ada" }),
    );
    await vi.waitFor(async () =>
      expect((await readOn(at, "")).changes.map(told)).toEqual([
        "release.published pump@1.1.0",
        "release.deleted pump@1.0.0",
        "plugin.updated pump@",
        "plugin.deleted pump@",
      ]),
    );
    expect(JSON.stringify((await readOn(at, "")).changes)).not.toContain("ada");
  });
});

describe("watching the end", () => {
  it("says where the feed ends at once, and again when it has moved, so that another replica can catch up", async () => {
    const [at, other] = [await replica(), await replica()];
    const leaving = new AbortController();
    const heads = at.changes
      .watchHead({}, { as: "service", signal: leaving.signal, timeoutMs: 0 })
      [Symbol.asyncIterator]();
    const { next } = await ask(other, { since: "now" });
    expect((await heads.next()).value?.head).not.toBe("");
    await publish("pump");
    const moved = (await heads.next()).value?.head ?? "";
    expect((await ask(other, { since: next, head: moved })).changes.map(told)).toEqual([
      "release.published pump@1.0.0",
    ]);
    leaving.abort();
    expect((await heads.next()).done).toBe(true);
  });
});
