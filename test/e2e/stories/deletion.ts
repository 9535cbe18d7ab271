import { describe, expect, it } from "vitest";
import { pluginZip } from "../../builders/plugin.ts";
import { expectProblem, type Info, namesIn } from "../shapes.ts";
import type { World } from "../world.ts";

export function deletionStories(world: World): void {
  describe("deleting", () => {
    it("leaves a tombstone for a release: gone for readers, refused for publishers", async () => {
      const owner = await world.publisher("owner");
      const name = world.name("obelisk");
      const zips = ["1.0.0", "2.0.0"].map((version) => pluginZip({ name, version }));
      for (const zip of zips) expect((await owner.publishes(zip)).status).toBe(201);
      expect((await owner.deletes(name, "2.0.0")).status).toBe(204);

      expectProblem(await owner.reads(name, "2.0.0"), 410, "RELEASE_DELETED");
      expectProblem(await owner.deletes(name, "2.0.0"), 410, "RELEASE_DELETED");
      expect((await owner.reads(name)).json()).toMatchObject({ latest_version: "1.0.0", versions: ["1.0.0"] });
      await world.soon(async () => {
        const { anonymous } = world;
        expectProblem(await anonymous.fetches(name, "2.0.0"), 410, "RELEASE_DELETED");
        expectProblem(await anonymous.downloads(name, "2.0.0"), 410, "RELEASE_DELETED");
        expectProblem(await anonymous.asksForUrl(name, "2.0.0"), 410, "RELEASE_DELETED");
        expect((await anonymous.fetches(name, "1.0.0")).status).toBe(200);
      });
      for (const zip of [zips[1], pluginZip({ name, version: "2.0.0", ballast: 10 })]) {
        expectProblem(await owner.publishes(zip ?? new Uint8Array()), 409, "RELEASE_DELETED");
      }
      expect((await owner.publishes(pluginZip({ name, version: "2.0.1" }))).status).toBe(201);
    });

    it("leaves a tombstone for a plugin: its name stays with its owner, its versions are burnt", async () => {
      const [owner, stranger] = [await world.publisher("owner"), await world.publisher("stranger")];
      const name = world.name("pyramid");
      const zip = pluginZip({ name });
      await owner.publishes(zip);
      await world.soon(async () => expect((await stranger.reads(name)).status).toBe(200));
      expectProblem(await stranger.deletes(name), 403, "PERMISSION_DENIED", "Permission denied");
      expectProblem(await stranger.deletes(name, "1.0.0"), 403, "PERMISSION_DENIED");
      expectProblem(await world.anonymous.deletes(name), 401, "INVALID_CREDENTIAL");

      const answer = await owner.deletes(name);
      expect([answer.status, answer.json()]).toEqual([200, { deleted_releases: 1 }]);
      expectProblem(await owner.reads(name), 410, "PLUGIN_DELETED");
      await world.soon(async () => {
        expectProblem(await world.anonymous.reads(name), 410, "PLUGIN_DELETED");
        expectProblem(await world.anonymous.fetches(name, "1.0.0"), 410, "RELEASE_DELETED");
        expect(namesIn(await world.anonymous.finds({ query: name, limit: "100" }))).not.toContain(name);
        expect(namesIn(await world.anonymous.searches({ q: name, limit: "100" }))).not.toContain(name);
        expect(namesIn(await world.anonymous.gets("/api/v1/plugins/all"))).not.toContain(name);
      });
      expectProblem(await owner.publishes(zip), 409, "RELEASE_DELETED");
      expectProblem(await stranger.publishes(pluginZip({ name, version: "2.0.0" })), 403, "PERMISSION_DENIED");
      expect((await owner.publishes(pluginZip({ name, version: "1.0.1" }))).status).toBe(201);
      await world.soon(async () => {
        expect((await world.anonymous.reads(name)).json()).toMatchObject({ versions: ["1.0.1"] });
      });
    });

    it("is for administrators, too", async () => {
      const owner = await world.publisher("owner");
      const name = world.name("sphinx");
      await owner.publishes(pluginZip({ name }));
      expect((await world.admin.deletes(name)).status).toBe(200);
      await world.soon(async () => expectProblem(await owner.reads(name), 410, "PLUGIN_DELETED"));
    });
  });

  describe("updating", () => {
    it("changes what is not in the archive, for the owner and administrators", async () => {
      const [owner, stranger] = [await world.publisher("owner"), await world.publisher("stranger")];
      const name = world.name("temple");
      await owner.publishes(pluginZip({ name }));
      const changed = await owner.updates(name, { title: "The Temple", description: "Of better words" });
      expect([changed.status, changed.json()]).toMatchObject([
        200,
        { title: "The Temple", description: "Of better words" },
      ]);
      expect((await owner.reads(name)).json()).toMatchObject({ title: "The Temple", description: "Of better words" });
      await world.soon(async () => {
        expect((await stranger.reads(name)).json()).toMatchObject({ description: "Of better words" });
        expect(namesIn(await stranger.finds({ query: "better words temple" }))).toContain(name);
      });
      expectProblem(await stranger.updates(name, { title: "Mine" }), 403, "PERMISSION_DENIED", "Permission denied");
      expectProblem(await owner.updates(name, { verified: true }), 403, "PERMISSION_DENIED");
      expectProblem(await owner.updates(name, { owner: "no-such-user" }), 400, "UNKNOWN_OWNER");
      expectProblem(await owner.updates(name, { visibility: "secret" }), 400, "INVALID_BODY");
      expect((await world.admin.updates(name, { verified: true })).json()).toMatchObject({ verified: true });

      await owner.publishes(pluginZip({ name, version: "1.1.0" }));
      expect((await owner.reads(name)).json()).toMatchObject({ title: "The Temple", version: "1.1.0" });
    });

    it("gives a plugin to another owner, who then publishes and the former does not", async () => {
      const [owner, heir] = [await world.publisher("owner"), await world.publisher("heir")];
      const name = world.name("ziggurat");
      await owner.publishes(pluginZip({ name }));
      expect((await owner.updates(name, { owner: heir.username })).json()).toMatchObject({ owner: heir.username });
      expect((await heir.publishes(pluginZip({ name, version: "1.1.0" }))).status).toBe(201);
      expectProblem(await owner.publishes(pluginZip({ name, version: "1.2.0" })), 403, "PERMISSION_DENIED");
      expect((await heir.reads(name)).json<Info>().versions).toEqual(["1.1.0", "1.0.0"]);
    });
  });
}
