import { describe, expect, it } from "vitest";
import { pluginZip } from "../../builders/plugin.ts";
import { sha256 } from "../http.ts";
import { expectProblem, type Info } from "../shapes.ts";
import type { World } from "../world.ts";

/** What an owner says of releases that should not be used any more, without taking them away. */
export function withdrawalStories(world: World): void {
  const publishAll = async (stem: string, ...versions: string[]) => {
    const owner = await world.publisher("owner");
    const name = world.name(stem);
    const zips = versions.map((version) => pluginZip({ name, version }));
    for (const zip of zips) expect((await owner.publishes(zip)).status).toBe(201);
    return { owner, name, zips };
  };

  describe("yanking", () => {
    it("takes a release out of latest, ranges and channels, and leaves it to its exact version", async () => {
      const { owner, name, zips } = await publishAll("ratchet", "1.0.0", "1.1.0", "2.0.0");
      expect((await owner.movesChannel(name, "stable", "2.0.0")).status).toBe(200);
      const answer = await owner.yanks(name, "2.0.0", "Loses data");
      expect([answer.status, answer.json()]).toMatchObject([
        200,
        { plugin: name, version: "2.0.0", state: "yanked", yanked: true, reason: "Loses data" },
      ]);
      const resolves = async (asked: string | undefined, version: string) =>
        expect([asked, (await world.anonymous.reads(name, asked)).json<Info>().version]).toEqual([asked, version]);
      await world.soon(async () => {
        const { anonymous } = world;
        const info = (await anonymous.reads(name)).json<Info>();
        expect(info).toMatchObject({ latest_version: "1.1.0", versions: ["2.0.0", "1.1.0", "1.0.0"] });
        expect(info.releases).toContainEqual(
          expect.objectContaining({ version: "2.0.0", state: "yanked", yanked: true, reason: "Loses data" }),
        );
        for (const asked of [undefined, "latest", "*", ">=1.0.0"]) await resolves(asked, "1.1.0");
        expectProblem(await anonymous.reads(name, "^2.0.0"), 404, "VERSION_NOT_FOUND");
        const channels = (await anonymous.gets(`/api/v1/plugins/${name}/channels`)).json<{ channels: object }>();
        expect(Object.values(channels.channels)).not.toContain("2.0.0");
        await resolves("2.0.0", "2.0.0");
        for (const exact of [await anonymous.fetches(name, "2.0.0"), await owner.fetches(name, "2.0.0")]) {
          expect([exact.status, sha256(exact.bytes)]).toEqual([200, sha256(zips[2] ?? new Uint8Array())]);
        }
        expect((await anonymous.downloads(name, "2.0.0")).status).toBe(200);
      });
      expectProblem(await owner.movesChannel(name, "stable", "2.0.0"), 404, "VERSION_NOT_FOUND");
      expect((await owner.yanks(name, "2.0.0")).json()).toMatchObject({ state: "yanked", reason: null });
      expect((await owner.publishes(zips[2] ?? new Uint8Array())).status).toBe(200);
      expect((await owner.reads(name)).json()).toMatchObject({ latest_version: "1.1.0" });

      for (let again = 0; again < 2; again += 1) {
        expect((await owner.unyanks(name, "2.0.0")).json()).toMatchObject({ state: "published", yanked: false });
      }
      await world.soon(async () => {
        expect((await world.anonymous.reads(name)).json()).toMatchObject({ latest_version: "2.0.0", version: "2.0.0" });
        await resolves("^2.0.0", "2.0.0");
      });
    });

    it("is for the owner and administrators", async () => {
      const { owner, name } = await publishAll("pawl", "1.0.0");
      const stranger = await world.publisher("stranger");
      await world.soon(async () => expect((await stranger.reads(name)).status).toBe(200));
      expectProblem(await stranger.yanks(name, "1.0.0", "mine"), 403, "PERMISSION_DENIED", "Permission denied");
      expectProblem(await stranger.unyanks(name, "1.0.0"), 403, "PERMISSION_DENIED");
      expectProblem(await world.anonymous.yanks(name, "1.0.0"), 401, "INVALID_CREDENTIAL", "Invalid authentication");
      expectProblem(await owner.yanks(name, "9.0.0"), 404, "VERSION_NOT_FOUND");
      expectProblem(await owner.yanks(world.name("none"), "1.0.0"), 404, "PLUGIN_NOT_FOUND");
      expectProblem(await owner.yanks(name, "1.0.0", "x".repeat(501)), 400, "INVALID_BODY");
      expect((await world.admin.yanks(name, "1.0.0")).status).toBe(200);
      expect((await owner.reads(name, "1.0.0")).json()).toMatchObject({ releases: [{ state: "yanked" }] });
    });
  });

  describe("deprecating", () => {
    it("tells readers of a plugin, or of one release, what to use instead, until it is taken back", async () => {
      const { owner, name } = await publishAll("crank", "1.0.0", "2.0.0");
      const why = { message: "No longer cared for", successor: world.name("motor") };
      const answer = await owner.deprecates(name, why);
      expect([answer.status, answer.json()]).toMatchObject([200, { name, deprecation: why }]);
      const one = await owner.deprecates(name, { message: "Has a flaw" }, "1.0.0");
      expect([one.status, one.json()]).toMatchObject([
        200,
        { plugin: name, version: "1.0.0", deprecation: { message: "Has a flaw", successor: null } },
      ]);
      await world.soon(async () => {
        const info = (await world.anonymous.reads(name)).json<Info>();
        expect(info).toMatchObject({ deprecation: why, latest_version: "2.0.0" });
        expect(info.releases).toMatchObject([
          { version: "2.0.0", deprecation: null },
          { version: "1.0.0", deprecation: { message: "Has a flaw" } },
        ]);
        expect((await world.anonymous.fetches(name, "1.0.0")).status).toBe(200);
      });
      expect((await owner.undeprecates(name)).json()).toMatchObject({ name, deprecation: null });
      expect((await owner.undeprecates(name, "1.0.0")).json()).toMatchObject({ deprecation: null });
      expect((await owner.undeprecates(name)).status).toBe(200);
      await world.soon(async () => {
        const info = (await world.anonymous.reads(name)).json<Info>();
        expect(info).toMatchObject({ deprecation: null });
        expect(info.releases).toMatchObject([{ deprecation: null }, { deprecation: null }]);
      });
    });

    it("is for the owner and administrators, and needs a message and the name of another plugin", async () => {
      const { owner, name } = await publishAll("lever", "1.0.0");
      const stranger = await world.publisher("stranger");
      await world.soon(async () => expect((await stranger.reads(name)).status).toBe(200));
      const why = { message: "mine" };
      for (const version of [undefined, "1.0.0"]) {
        expectProblem(await stranger.deprecates(name, why, version), 403, "PERMISSION_DENIED", "Permission denied");
        expectProblem(await stranger.undeprecates(name, version), 403, "PERMISSION_DENIED");
        expectProblem(await world.anonymous.deprecates(name, why, version), 401, "INVALID_CREDENTIAL");
        for (const bad of [{}, { message: "" }, { message: "old", successor: "No Name" }]) {
          expectProblem(await owner.deprecates(name, bad, version), 400, "INVALID_BODY");
        }
        expectProblem(
          await owner.deprecates(name, { message: "old", successor: name }, version),
          400,
          "INVALID_SUCCESSOR",
        );
      }
      expectProblem(await owner.deprecates(name, why, "9.0.0"), 404, "VERSION_NOT_FOUND");
      expect((await world.admin.deprecates(name, why)).status).toBe(200);
    });
  });
}
