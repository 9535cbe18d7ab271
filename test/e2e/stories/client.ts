import { describe, expect, it } from "vitest";
import { pluginYaml } from "../../builders/plugin.ts";
import { clientTarGz, pythonTaggedManifest } from "../../builders/python.ts";
import { sha256 } from "../http.ts";
import { expectProblem, type Info, infoShape, namesIn } from "../shapes.ts";
import type { World } from "../world.ts";
import { pathsInTarGz } from "./download.ts";

/** What AgentiCraft's Python client sends and needs, call by call. */
export function clientStories(world: World): void {
  describe("AgentiCraft's Python client", () => {
    it("publishes, searches, reads, downloads and refreshes", async () => {
      const publisher = await world.publisher();
      const name = world.name("gyroscope");
      const plugin = { name, title: "Gyroscope", type: "provider", category: "research" };
      const archive = clientTarGz(plugin);
      const answer = await publisher.publishesAsClient(archive, pluginYaml(plugin));
      expect(answer.status).toBe(201);
      expect(answer.json()).toMatchObject({ success: true, plugin: name, sha256: sha256(archive) });

      await world.soon(async () => {
        const { anonymous } = world;
        const search = await anonymous.asksAsClient(`search?q=gyroscope&limit=20&type=PluginType.PROVIDER`);
        expect(namesIn(search)).toContain(name);
        const info = await anonymous.asksAsClient(`plugins/${name}`);
        expect(info.json()).toMatchObject({ ...infoShape, name, changelog: expect.stringContaining("The first") });
        const all = await anonymous.asksAsClient("plugins/all");
        expect(namesIn(all)).toContain(name);
        const download = await anonymous.asksAsClient(`plugins/${name}/download/1.0.0`);
        expect(download.status).toBe(200);
        expect(download.headers.has("content-encoding")).toBe(false);
        expect(pathsInTarGz(download.bytes)).toContain(`${name}/plugin.yaml`);
        expect((await anonymous.asksAsClient("plugins/no-such-plugin")).status).toBe(404);
      });
    });

    it("publishes with a manifest part that holds Python objects: the archive is the truth", async () => {
      const publisher = await world.publisher();
      const name = world.name("heliograph");
      const plugin = { name, more: ["homepage: https://example.com/", "repository: https://example.com/repository"] };
      const answer = await publisher.publishesAsClient(clientTarGz(plugin), pythonTaggedManifest(plugin));
      expect(answer.status).toBe(201);
      expect((await publisher.reads(name)).json()).toMatchObject({ homepage: "https://example.com/" });
    });

    it("keeps the uploaded archive as it is, beside the form that clients are given", async () => {
      const publisher = await world.publisher();
      const name = world.name("inclinometer");
      const archive = clientTarGz({ name });
      await publisher.publishesAsClient(archive, pluginYaml({ name }));
      const info = (await publisher.reads(name)).json<Info>();
      expect(info.releases[0]?.sha256).toBe(sha256(archive));
      const original = await publisher.gets(info.releases[0]?.package_url ?? "");
      expect(sha256(original.bytes)).toBe(sha256(archive));
    });

    it("is told when the manifest beside the archive speaks of something else", async () => {
      const publisher = await world.publisher();
      const name = world.name("jib");
      const archive = clientTarGz({ name });
      const other = pluginYaml({ name, version: "2.0.0" });
      expectProblem(await publisher.publishesAsClient(archive, other), 422, "MANIFEST_MISMATCH");
      expectProblem(
        await publisher.publishesAsClient(archive, JSON.stringify({ name: "other" })),
        422,
        "MANIFEST_MISMATCH",
      );
      expect((await publisher.reads(name)).status).toBe(404);
      const json = JSON.stringify({ name, version: "1.0.0" });
      expect((await publisher.publishesAsClient(archive, json)).status).toBe(201);
    });

    it("finds no kinds that it does not know, and is told of a type that there is not", async () => {
      expectProblem(await world.anonymous.searches({ q: "x", type: "spell" }), 400, "INVALID_QUERY");
      const types = (await world.anonymous.searches({ limit: "100" }))
        .json<{ results: { type: string }[] }>()
        .results.map(({ type }) => type);
      const known = ["tool", "agent", "memory", "provider", "workflow", "reasoning"];
      expect(types.length).toBeGreaterThan(0);
      expect(types.filter((type) => !known.includes(type))).toEqual([]);
    });
  });
}
