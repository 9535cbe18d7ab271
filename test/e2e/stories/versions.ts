import { describe, expect, it } from "vitest";
import { pluginZip } from "../../builders/plugin.ts";
import { expectProblem, type Info } from "../shapes.ts";
import type { World } from "../world.ts";

export function versionStories(world: World): void {
  const publishAll = async (stem: string, versions: readonly string[]) => {
    const owner = await world.publisher("owner");
    const name = world.name(stem);
    for (const version of versions) {
      expect((await owner.publishes(pluginZip({ name, version, description: `At ${version}` }))).status).toBe(201);
    }
    return { owner, name };
  };

  describe("versions and channels", () => {
    it("resolves exact versions, ranges and channels, everywhere alike", async () => {
      const { owner, name } = await publishAll("kiln", ["1.0.0", "1.10.0", "1.9.0", "2.0.0-rc.1", "2.0.0"]);
      const info = (await owner.reads(name)).json<Info>();
      expect(info.versions).toEqual(["2.0.0", "2.0.0-rc.1", "1.10.0", "1.9.0", "1.0.0"]);
      expect(info.releases.map(({ version }) => version)).toEqual(["2.0.0", "2.0.0-rc.1", "1.9.0", "1.10.0", "1.0.0"]);
      const cases = [
        [undefined, "2.0.0"],
        ["latest", "2.0.0"],
        ["1.9.0", "1.9.0"],
        ["^1.0.0", "1.10.0"],
        ["~1.9", "1.9.0"],
        [">=1.0.0 <1.10.0", "1.9.0"],
        ["1.x", "1.10.0"],
        ["*", "2.0.0"],
        ["2.0.0-rc.1", "2.0.0-rc.1"],
        [">=2.0.0-rc.0 <2.0.0", "2.0.0-rc.1"],
      ] as const;
      for (const [asked, expected] of cases) {
        const seen = (await owner.reads(name, asked)).json<Info>();
        expect([asked, seen.version, seen.latest_version]).toEqual([asked, expected, "2.0.0"]);
        const { download_url: url } = (await owner.asksForUrl(name, asked)).json<{ download_url: string }>();
        expect([asked, url]).toEqual([asked, expect.stringContaining(`/${name}-${expected}.zip`)]);
      }
      const ranged = await owner.downloads(name, encodeURIComponent("^1.0.0"));
      expect(ranged.headers.get("content-disposition")).toContain(`${name}-1.10.0.tar.gz`);
      expectProblem(await owner.reads(name, "^3.0.0"), 404, "VERSION_NOT_FOUND");
      expectProblem(await owner.reads(name, "no/version"), 400, "INVALID_VERSION");
    });

    it("takes a prerelease for the latest only while there is nothing else", async () => {
      const { owner, name } = await publishAll("loom", ["1.0.0-beta.1"]);
      expect((await owner.reads(name)).json()).toMatchObject({
        latest_version: "1.0.0-beta.1",
        version: "1.0.0-beta.1",
      });
      expect((await owner.publishes(pluginZip({ name, version: "0.9.0" }))).status).toBe(201);
      expect((await owner.reads(name)).json()).toMatchObject({ latest_version: "0.9.0" });
      expect((await owner.publishes(pluginZip({ name, version: "1.0.0-beta.2" }))).status).toBe(201);
      expect((await owner.reads(name)).json()).toMatchObject({ latest_version: "0.9.0" });
    });

    it("moves channels, and latest by hand, and gives them back", async () => {
      const { owner, name } = await publishAll("mill", ["1.0.0", "2.0.0"]);
      const beta = await owner.publishes(pluginZip({ name, version: "3.0.0-beta.1" }), { fields: { channel: "beta" } });
      expect(beta.status).toBe(201);
      const channels = `/api/v1/plugins/${name}/channels`;
      expect((await owner.gets(channels)).json()).toEqual({ channels: { latest: "2.0.0", beta: "3.0.0-beta.1" } });
      expect((await owner.reads(name, "beta")).json()).toMatchObject({ version: "3.0.0-beta.1" });

      expect((await owner.movesChannel(name, "stable", "1.0.0")).json()).toEqual({
        channel: "stable",
        version: "1.0.0",
      });
      expect((await owner.gets(`${channels}/stable`)).json()).toEqual({ channel: "stable", version: "1.0.0" });
      expect((await owner.movesChannel(name, "latest", "1.0.0")).status).toBe(200);
      expect((await owner.reads(name)).json()).toMatchObject({ latest_version: "1.0.0" });
      const elsewhere = world.elsewhere(owner);
      await world.soon(async () => expect((await elsewhere.reads(name)).json()).toMatchObject({ version: "1.0.0" }));

      expect((await owner.request("DELETE", `${channels}/latest`)).status).toBe(204);
      expect((await owner.reads(name)).json()).toMatchObject({ latest_version: "2.0.0" });
      expect((await owner.request("DELETE", `${channels}/stable`)).status).toBe(204);
      expectProblem(await owner.gets(`${channels}/stable`), 404, "CHANNEL_NOT_FOUND");
      expectProblem(await owner.request("DELETE", `${channels}/stable`), 404, "CHANNEL_NOT_FOUND");
      expectProblem(await owner.movesChannel(name, "beta", "9.9.9"), 404, "VERSION_NOT_FOUND");
      expectProblem(await owner.movesChannel(name, "1.x", "1.0.0"), 400, "INVALID_CHANNEL");
      const stranger = await world.publisher("stranger");
      await world.soon(async () => expect((await stranger.reads(name)).status).toBe(200));
      expectProblem(await stranger.movesChannel(name, "beta", "1.0.0"), 403, "PERMISSION_DENIED", "Permission denied");
    });

    it("pages through many releases, highest version first", async () => {
      const versions = Array.from({ length: 7 }, (_, minor) => `1.${minor}.0`);
      const { owner, name } = await publishAll("nozzle", versions);
      const seen: string[] = [];
      let cursor: string | null = "";
      for (let page = 0; page < 4 && cursor !== null; page += 1) {
        const query = new URLSearchParams({ limit: "3", ...(cursor === "" ? {} : { cursor }) });
        const answer = await owner.gets(`/api/v1/plugins/${name}/versions?${query}`);
        const body: { versions: { version: string }[]; next_cursor: string | null } = answer.json();
        seen.push(...body.versions.map(({ version }) => version));
        expect(answer.headers.get("link")?.includes('rel="next"') ?? false).toBe(body.next_cursor !== null);
        cursor = body.next_cursor;
      }
      expect(seen).toEqual(versions.toReversed());
      const wrong = await owner.gets(`/api/v1/plugins/${name}/versions?cursor=none`);
      const remedy = "cursor: use the next_cursor of the previous answer";
      expectProblem(wrong, 400, "INVALID_PAGE_TOKEN", remedy);
      expect(wrong.json()).toMatchObject({ errors: [{ pointer: "/cursor", reason: remedy }] });
    });
  });
}
