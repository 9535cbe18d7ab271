import { describe, expect, it } from "vitest";
import { pluginZip } from "../../builders/plugin.ts";
import { pythonZip } from "../../builders/python.ts";
import { sha256 } from "../http.ts";
import { expectProblem, type Info, infoShape, namesIn, releaseShape, searchKeys } from "../shapes.ts";
import type { World } from "../world.ts";

export function publishStories(world: World): void {
  describe("publishing", () => {
    it("answers 201 with the digest of the very bytes, and the publisher sees the plugin at once", async () => {
      const publisher = await world.publisher();
      const name = world.name("barometer");
      const zip = pythonZip({ name });
      const answer = await publisher.publishes(zip);
      expect(answer.status).toBe(201);
      expect(answer.json()).toMatchObject({
        success: true,
        plugin: name,
        version: "1.0.0",
        sha256: sha256(zip),
        size: zip.length,
        state: "published",
      });
      expect(answer.headers.get("location")).toBe(`${publisher.gateway}/api/v1/plugins/${name}/versions/1.0.0`);
      expect((await publisher.gets(answer.headers.get("location") ?? "")).json()).toMatchObject({ plugin: name });
      expect((await publisher.reads(name)).json()).toMatchObject({ name, owner: publisher.username });
    });

    it("shows a change to whoever made it in the very next answer, time and again", async () => {
      const publisher = await world.publisher();
      const name = world.name("chronometer");
      for (let minor = 0; minor < 5; minor += 1) {
        const version = `1.${minor}.0`;
        expect((await publisher.publishes(pluginZip({ name, version, tags: [name] }))).status).toBe(201);
        expect((await publisher.reads(name)).json()).toMatchObject({ latest_version: version });
        const lists = async (): Promise<void> => {
          const listed = (await publisher.finds({ tags: name })).json<Info[]>();
          expect(listed.map((info) => info.latest_version)).toEqual([version]);
          const { results } = (await publisher.searches({ q: name, limit: "1" })).json<{ results: object[] }>();
          expect(results).toMatchObject([{ name, version }]);
        };
        // Each replica of the catalog has lists of its own, and the next question may go to another one.
        await world.soon(lists);
      }
    });

    it("is found by name, by tag and in spite of a typing error, in every list", async () => {
      const publisher = await world.publisher();
      const name = world.name("hygrometer");
      const tag = world.name("tag");
      await publisher.publishes(pythonZip({ name, title: "Humidity Reader", tags: [tag, "air"] }));
      const { anonymous } = world;
      await world.soon(async () => {
        expect(namesIn(await anonymous.finds({ query: name }))[0]).toBe(name);
        expect(namesIn(await anonymous.finds({ tags: tag }))).toEqual([name]);
        expect(namesIn(await anonymous.finds(`tags=${tag}&tags=air`))).toEqual([name]);
        expect(namesIn(await anonymous.finds(`tags=${tag}&tags=water`))).toEqual([]);
        expect(namesIn(await anonymous.finds({ query: "humidty raeder", limit: "100" }))).toContain(name);
        expect(namesIn(await anonymous.searches({ q: "humidty", limit: "100" }))).toContain(name);
        expect(namesIn(await anonymous.gets("/api/v1/plugins/all"))).toContain(name);
      });
    });

    it("is told of with every field that clients read, and no wrong null", async () => {
      const publisher = await world.publisher();
      const name = world.name("anemometer");
      const more = [
        "homepage: https://example.com/wind",
        "requirements:\n  dependencies:\n    - name: air\n      version: ^1.0.0",
        "downloads: 4711",
        "verified: true",
      ];
      const zip = pluginZip({ name, author: "Wendy Wind", tags: ["wind"], more });
      await publisher.publishes(zip);
      await world.soon(async () => {
        const answer = await world.anonymous.reads(name);
        expect(answer.status).toBe(200);
        expect(answer.headers.get("content-type")).toMatch(/^application\/json/);
        const info = answer.json<Info>();
        expect(info).toMatchObject(infoShape);
        expect(info).toMatchObject({
          name,
          author: "Wendy Wind",
          license: "MIT",
          homepage: "https://example.com/wind",
          tags: ["wind"],
          versions: ["1.0.0"],
          latest_version: "1.0.0",
          total_downloads: 0,
          dependencies_graph: { [name]: ["air"] },
          readme: expect.stringContaining(`# ${name}`),
          changelog: null,
        });
        expect(info.manifest).toMatchObject({ author: { name: "Wendy Wind" }, downloads: 0, verified: false });
        expect(info.manifest).toHaveProperty("rating", null);
        expect(info.releases).toHaveLength(1);
        expect(info.releases[0]).toMatchObject({
          ...releaseShape,
          version: "1.0.0",
          sha256: sha256(zip),
          size: zip.length,
          published_by: publisher.username,
        });
      });
    });

    it("leaves out a homepage that the manifest does not give, instead of null", async () => {
      const publisher = await world.publisher();
      const name = world.name("thermometer");
      await publisher.publishes(pluginZip({ name }));
      expect((await publisher.reads(name)).json<Info>().manifest).not.toHaveProperty("homepage");
    });

    it("is listed in the shape that each route promises", async () => {
      const publisher = await world.publisher();
      const name = world.name("rain-gauge");
      await publisher.publishes(pluginZip({ name, type: "agent", category: "data" }));
      const { anonymous } = world;
      await world.soon(async () => {
        const list = await anonymous.finds({ query: name, limit: "1" });
        expect(list.headers.get("x-total-count")).toMatch(/^\d+$/);
        expect(list.json<Info[]>()[0]).toMatchObject({ ...infoShape, name });

        const search = await anonymous.searches({ q: name, type: "PluginType.AGENT", category: "PluginCategory.DATA" });
        const [first] = search.json<{ results: object[] }>().results;
        expect(Object.keys(first ?? {}).sort()).toEqual(searchKeys);
        expect(first).toEqual({
          name,
          version: "1.0.0",
          type: "agent",
          title: name,
          description: `What ${name} does`,
          author: "Ann Author",
          downloads: 0,
          rating: null,
          verified: false,
        });
        expect(namesIn(await anonymous.searches({ q: name, type: "tool" }))).not.toContain(name);

        const all = (await anonymous.gets("/api/v1/plugins/all")).json<{ plugins: { name: string }[] }>();
        expect(all).toMatchObject({ updated_at: expect.stringMatching(/Z$/) });
        expect(all.plugins.find((each) => each.name === name)).toMatchObject({ name, version: "1.0.0" });

        const versions = await anonymous.gets(`/api/v1/plugins/${name}/versions`);
        expect(versions.json()).toMatchObject({ versions: [releaseShape], next_cursor: null });
      });
    });

    it("takes the same bytes again as a success, and other bytes of the same version never", async () => {
      const publisher = await world.publisher();
      const name = world.name("sundial");
      const zip = pluginZip({ name });
      expect((await publisher.publishes(zip)).status).toBe(201);
      const again = await publisher.publishes(zip);
      expect(again.status).toBe(200);
      expect(again.json()).toMatchObject({ success: true, plugin: name, sha256: sha256(zip) });
      expectProblem(await publisher.publishes(pluginZip({ name, ballast: 100 })), 409, "RELEASE_EXISTS");
      const { releases } = (await publisher.reads(name)).json<Info>();
      expect(releases.map((release) => release.sha256)).toEqual([sha256(zip)]);
    });

    it("lets one of two publishers have a name and a version, whatever the moment", async () => {
      const [first, second] = [await world.publisher(), await world.publisher()];
      const name = world.name("race");
      const packages = [pluginZip({ name, ballast: 10 }), pluginZip({ name, ballast: 20 })] as const;
      const answers = await Promise.all([first.publishes(packages[0]), second.publishes(packages[1])]);
      expect(answers.map(({ status }) => status).sort()).toEqual([201, 403]);
      const winner = answers[0].status === 201 ? 0 : 1;
      await world.soon(async () => {
        const { releases } = (await world.anonymous.reads(name)).json<Info>();
        expect(releases.map((release) => release.sha256)).toEqual([sha256(packages[winner])]);
      });
    });

    it("answers the same bytes, sent twice at once, with success both times", async () => {
      const publisher = await world.publisher();
      const zip = pluginZip({ name: world.name("twin") });
      const other = world.elsewhere(publisher);
      await world.soon(async () => expect((await other.gets("/api/v1/auth/me")).status).toBe(200));
      const answers = await Promise.all([publisher.publishes(zip), other.publishes(zip), publisher.publishes(zip)]);
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 201]);
    });

    it("shows what a package holds: its files, their text, and what checks noticed", async () => {
      const publisher = await world.publisher();
      const name = world.name("probe");
      const files = { "page.html": "<script>alert(1)</script>", "CHANGELOG.md": "# 1.0.0\n" };
      const zip = pluginZip({ name, files: { ...files, "run.py": "import pickle\npickle.loads(b'.')\n" } });
      const answer = await publisher.publishes(zip);
      const noticed = { rule: "python-unpickle", severity: "medium", file: "run.py", line: 2, action: "warn" };
      expect([answer.status, answer.json()]).toMatchObject([201, { findings: [noticed], review: null }]);
      const base = `/api/v1/plugins/${name}/versions/1.0.0`;
      const listed = (await publisher.gets(`${base}/files`)).json<{ files: { path: string; sha256: string }[] }>()
        .files;
      expect(listed.map(({ path }) => path)).toEqual(
        expect.arrayContaining(["plugin.yaml", "page.html", "src/plugin.py"]),
      );
      const page = await publisher.gets(`${base}/files/page.html`);
      expect(page.text).toBe(files["page.html"]);
      expect(page.headers.get("content-type")).toMatch(/^text\/plain/);
      expect(page.headers.get("content-security-policy")).toContain("sandbox");
      expect(sha256(page.bytes)).toBe(listed.find(({ path }) => path === "page.html")?.sha256);
      expect((await publisher.gets(`${base}/readme`)).text).toContain(name);
      expect((await publisher.gets(`${base}/changelog`)).text).toBe(files["CHANGELOG.md"]);
      expect((await publisher.gets(`${base}/findings`)).json()).toMatchObject({ findings: [noticed] });
    });
  });
}
