import { describe, expect, it } from "vitest";
import { pluginZip } from "../../builders/plugin.ts";
import type { Actor } from "../actors.ts";
import { sha256 } from "../http.ts";
import { expectProblem, type Info, namesIn, problemOf } from "../shapes.ts";
import type { World } from "../world.ts";

/** Every way to read something of one plugin, and the same way to what does not exist. */
const readings: readonly ((actor: Actor, name: string) => Promise<unknown>)[] = [
  async (actor, name) => problemOf(await actor.reads(name)),
  async (actor, name) => problemOf(await actor.reads(name, "1.0.0")),
  async (actor, name) => problemOf(await actor.asksForUrl(name)),
  async (actor, name) => problemOf(await actor.downloads(name, "1.0.0")),
  async (actor, name) => problemOf(await actor.fetches(name, "1.0.0")),
  async (actor, name) => problemOf(await actor.fetches(name, "1.0.0", "tar.gz")),
  async (actor, name) => problemOf(await actor.gets(`/api/v1/plugins/${name}/versions`)),
  async (actor, name) => problemOf(await actor.gets(`/api/v1/plugins/${name}/versions/1.0.0/files/plugin.yaml`)),
  async (actor, name) => problemOf(await actor.gets(`/api/v1/plugins/${name}/channels`)),
  async (actor, name) => problemOf(await actor.gets(`/api/v1/analytics/plugins/${name}`)),
];
const changes: readonly ((actor: Actor, name: string) => Promise<unknown>)[] = [
  async (actor, name) => problemOf(await actor.updates(name, { title: "x" })),
  async (actor, name) => problemOf(await actor.deletes(name)),
  async (actor, name) => problemOf(await actor.deletes(name, "1.0.0")),
  async (actor, name) => problemOf(await actor.movesChannel(name, "beta", "1.0.0")),
];

export function accessStories(world: World): void {
  const count = async (actor: Actor) => (await actor.gets("/")).json<{ plugins_count: number }>().plugins_count;
  const lists = async (actor: Actor, name: string): Promise<boolean[]> => {
    const total = await actor.finds({ query: name });
    const answers = [
      total,
      await actor.finds({ tags: name }),
      await actor.searches({ q: name }),
      await actor.gets("/api/v1/plugins/all"),
    ];
    return answers.map((answer) => namesIn(answer).includes(name));
  };

  describe("what is not for everybody", () => {
    it.each(["private", "internal"])("stays out of every sight of anonymous callers: %s", async (visibility) => {
      const owner = await world.publisher("owner");
      const before = await count(world.anonymous);
      const name = world.name("vault");
      const zip = pluginZip({ name, tags: [name] });
      const published = await owner.publishes(zip, { fields: { visibility } });
      expect(published.status).toBe(201);
      await world.soon(async () => expect(await lists(owner, name)).toEqual([true, true, true, true]));
      expect((await owner.reads(name)).json()).toMatchObject({ name, visibility });
      await isUnknownTo(world.anonymous, name);
      expect(await lists(world.anonymous, name)).toEqual([false, false, false, false]);
      expect(await count(world.anonymous)).toBe(before);
    });

    it("is seen by every user when it is internal, and by no stranger when it is private", async () => {
      const [owner, stranger] = [await world.publisher("owner"), await world.publisher("stranger")];
      const [internal, secret] = [world.name("staff"), world.name("safe")];
      await owner.publishes(pluginZip({ name: internal, tags: [internal] }), { fields: { visibility: "internal" } });
      await owner.publishes(pluginZip({ name: secret, tags: [secret] }), { fields: { visibility: "private" } });
      await world.soon(async () => {
        expect(await lists(stranger, internal)).toEqual([true, true, true, true]);
        expect((await stranger.fetches(internal, "1.0.0")).status).toBe(200);
      });
      expect(await lists(stranger, secret)).toEqual([false, false, false, false]);
      await isUnknownTo(stranger, secret);
      for (const change of changes) {
        expect(await change(stranger, secret)).toEqual(await change(stranger, "does-not-exist"));
      }
      const answer = await stranger.publishes(pluginZip({ name: secret, version: "2.0.0" }));
      expectProblem(answer, 403, "PERMISSION_DENIED", "Permission denied");
      expect((await world.admin.reads(secret)).json()).toMatchObject({ name: secret });
    });

    it("is downloaded by whoever its owner hands a signed address to, and by nobody else", async () => {
      const owner = await world.publisher("owner");
      const name = world.name("casket");
      const zip = pluginZip({ name });
      await owner.publishes(zip, { fields: { visibility: "private" } });
      const asked = await owner.asksForUrl(name);
      expect(asked.headers.get("cache-control")).toContain("no-store");
      const { download_url: url } = asked.json<{ download_url: string }>();
      const reader = world.anonymous;
      const answer = await reader.gets(url);
      expect([answer.status, sha256(answer.bytes)]).toEqual([200, sha256(zip)]);
      expect(answer.headers.get("cache-control")).toContain("no-store");
      expect((await owner.fetches(name, "1.0.0")).headers.get("cache-control")).toContain("private");

      const tampered = new URL(url);
      tampered.searchParams.set("ticket", `9${tampered.searchParams.get("ticket")}`);
      expectProblem(await reader.gets(tampered.href), 404, "PLUGIN_NOT_FOUND");
      const elsewhere = url.replaceAll("1.0.0", "1.0.1");
      expectProblem(await reader.gets(elsewhere), 404, "PLUGIN_NOT_FOUND");
    });

    it("gives its bytes, whole or file by file, to no token that may only read about it", async () => {
      const owner = await world.publisher("owner");
      const name = world.name("shelf");
      await owner.publishes(pluginZip({ name }), { fields: { visibility: "private" } });
      const { secret } = (await owner.createsToken("reader", ["read"])).json<{ secret: string }>();
      const reader = owner.with(secret);
      const file = `/api/v1/plugins/${name}/versions/1.0.0/files/plugin.yaml`;
      expect((await reader.reads(name)).status).toBe(200);
      expectProblem(await reader.fetches(name, "1.0.0"), 403, "PERMISSION_DENIED", "Permission denied");
      expectProblem(await reader.gets(file), 403, "PERMISSION_DENIED", "Permission denied");
      const answer = await owner.gets(file);
      expect([answer.status, answer.text]).toEqual([200, expect.stringContaining(name)]);
    });

    it("appears when it is made public and vanishes when it is made private again, everywhere", async () => {
      const owner = await world.publisher("owner");
      const name = world.name("curtain");
      await owner.publishes(pluginZip({ name, tags: [name] }), { fields: { visibility: "private" } });
      const { anonymous } = world;
      await isUnknownTo(anonymous, name);
      expect((await owner.updates(name, { visibility: "public" })).json()).toMatchObject({ visibility: "public" });
      expect((await owner.anonymously.reads(name)).status).toBe(200);
      await world.soon(async () => {
        expect(await lists(anonymous, name)).toEqual([true, true, true, true]);
        expect((await anonymous.fetches(name, "1.0.0")).status).toBe(200);
      });
      expect((await owner.updates(name, { visibility: "private" })).status).toBe(200);
      await world.soon(async () => {
        expect(await lists(anonymous, name)).toEqual([false, false, false, false]);
        await isUnknownTo(anonymous, name);
      });
    });

    it("keeps a private name from those who look for it by publishing", async () => {
      const [owner, stranger] = [await world.publisher("owner"), await world.publisher("stranger")];
      const name = world.name("shadow");
      await owner.publishes(pluginZip({ name }), { fields: { visibility: "private" } });
      const answer = await stranger.publishes(pluginZip({ name: name.replace("shadow", "sha-dow") }));
      expectProblem(answer, 422, "NAME_TOO_SIMILAR");
      expect(answer.text).not.toContain(name);
      expect((await owner.reads(name)).json<Info>().versions).toEqual(["1.0.0"]);
    });
  });
}

/** Every answer about it is the very answer about what does not exist. */
async function isUnknownTo(actor: Actor, name: string): Promise<void> {
  for (const read of readings) {
    const unknown = await read(actor, "does-not-exist");
    expect(unknown).toMatchObject({ status: 404 });
    expect(await read(actor, name)).toEqual(unknown);
  }
}
