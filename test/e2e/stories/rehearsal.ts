import { describe, expect, it, vi } from "vitest";
import { multipart, packagePart } from "../../builders/form.ts";
import { hostileArchives } from "../../builders/hostile.ts";
import { pluginZip } from "../../builders/plugin.ts";
import { leakyZip, suspectZip } from "../../builders/suspect.ts";
import type { Actor } from "../actors.ts";
import { sha256 } from "../http.ts";
import { expectProblem, type Info, problemOf } from "../shapes.ts";
import { tracesOf } from "../traces.ts";
import { countedWithinMs, type World } from "../world.ts";
import { settled } from "./refusals.ts";

/** Asking what would come of a publish, and names that are easily taken for others. */
export function rehearsalStories(world: World, popularDownloads: number): void {
  const changesNothing = async (publisher: Actor, attempt: () => Promise<void>): Promise<void> => {
    await world.soon(async () => expect((await publisher.gets("/api/v1/auth/me")).status).toBe(200));
    await settled(world);
    const before = await tracesOf(world);
    await attempt();
    expect(await tracesOf(world)).toEqual(before);
  };

  describe("a dry run", () => {
    it("tells what would be published, under both spellings, and leaves nothing", async () => {
      const publisher = await world.publisher();
      const name = world.name("rehearsal");
      const zip = pluginZip({ name, files: { "CHANGELOG.md": "# 1.0.0\n" } });
      await changesNothing(publisher, async () => {
        const other = multipart([packagePart(zip)]);
        const answers = [
          await publisher.tries(zip),
          await publisher.sendsForm("/api/v1/plugins/publish?dry_run=1", other),
        ];
        for (const answer of answers) {
          expect([answer.status, answer.json()]).toMatchObject([
            200,
            {
              ...{ success: true, dry_run: true, plugin: name, version: "1.0.0", sha256: sha256(zip) },
              ...{ size: zip.length, state: "published", verdict: "accepted", exists: false, review: null },
            },
          ]);
        }
        for (const actor of [publisher, world.admin]) {
          expectProblem(await actor.reads(name), 404, "PLUGIN_NOT_FOUND");
          expectProblem(await actor.fetches(name, "1.0.0"), 404, "PLUGIN_NOT_FOUND");
        }
      });
      const somebody = await world.publisher();
      expect((await somebody.publishes(zip)).status).toBe(201);
    });

    it("is refused with what a real publish is refused with", async () => {
      const publisher = await world.publisher();
      const name = world.name("stunt");
      await changesNothing(publisher, async () => {
        const wanted = [
          "PATH_TRAVERSAL",
          "SPECIAL_ENTRY",
          "COMPRESSION_RATIO",
          "UNSUPPORTED_ARCHIVE",
          "INVALID_MANIFEST",
        ];
        const kinds = wanted.map((code) => hostileArchives(name).find((hostile) => hostile.code === code)?.bytes);
        for (const bytes of [...kinds, leakyZip({ name })]) {
          if (bytes === undefined) throw new Error("no such archive");
          const [real, dry] = [await publisher.publishes(bytes), await publisher.tries(bytes)];
          expect(real.status).toBeGreaterThanOrEqual(400);
          expect(problemOf(dry)).toEqual(problemOf(real));
        }
      });
      const wrong = multipart([packagePart(pluginZip({ name }))]);
      expectProblem(await publisher.sendsForm("/api/v1/plugins?dry_run=perhaps", wrong), 400, "INVALID_QUERY");
    });

    it("tells what would wait for a reviewer", async () => {
      const publisher = await world.publisher();
      const name = world.name("audition");
      await changesNothing(publisher, async () => {
        const answer = await publisher.tries(suspectZip({ name }));
        expect([answer.status, answer.json()]).toMatchObject([
          200,
          {
            state: "staged",
            verdict: "held",
            exists: false,
            review: { state: "pending", reasons: expect.arrayContaining([expect.stringContaining("SKILL.md")]) },
          },
        ]);
        expectProblem(await publisher.reads(name), 404, "PLUGIN_NOT_FOUND");
        expect((await world.admin.asksWhatWaits()).text).not.toContain(name);
      });
    });

    it("knows what is there already, and whose it is", async () => {
      const [publisher, stranger] = [await world.publisher(), await world.publisher("stranger")];
      const name = world.name("encore");
      const zip = pluginZip({ name });
      expect((await publisher.publishes(zip)).status).toBe(201);
      const again = await publisher.tries(zip);
      expect([again.status, again.json()]).toMatchObject([200, { exists: true, state: "published", plugin: name }]);
      expectProblem(await publisher.tries(pluginZip({ name, ballast: 100 })), 409, "RELEASE_EXISTS");
      expectProblem(await stranger.tries(pluginZip({ name, version: "2.0.0" })), 403, "PERMISSION_DENIED");
      expectProblem(await world.anonymous.tries(zip), 401, "INVALID_CREDENTIAL", "Invalid authentication");
      expectProblem(await (await world.user()).tries(zip), 403, "PERMISSION_DENIED", "Permission denied");
      expect((await publisher.reads(name)).json<Info>().versions).toEqual(["1.0.0"]);
    });
  });

  describe("a name", () => {
    it("that is one letter away from a much-used one waits for a reviewer, unless it has the same owner", async () => {
      const [owner, other] = [await world.publisher("owner"), await world.publisher("other")];
      const name = world.name("popular");
      const near = [`${name}s`, name.replace("popular", "popullar")] as const;
      expect((await owner.publishes(pluginZip({ name }))).status).toBe(201);
      for (let count = 0; count < popularDownloads; count += 1) {
        expect((await owner.fetches(name, "1.0.0")).status).toBe(200);
      }
      // Totals lag, and each replica of the catalog learns of them by itself.
      await vi.waitFor(
        async () => {
          for (let replica = 0; replica < 4; replica += 1) {
            expect((await other.tries(pluginZip({ name: near[0] }))).json()).toMatchObject({ verdict: "held" });
          }
        },
        { timeout: countedWithinMs, interval: 200 },
      );
      const answer = await other.publishes(pluginZip({ name: near[0] }));
      expect([answer.status, answer.json()]).toMatchObject([
        202,
        { state: "staged", review: { reasons: [expect.stringContaining(`"${name}"`)] } },
      ]);
      expectProblem(await world.anonymous.reads(near[0]), 404, "PLUGIN_NOT_FOUND");
      expect((await owner.publishes(pluginZip({ name: near[1] }))).status).toBe(201);
      expect((await world.admin.decides(near[0], "1.0.0", "release", "An honest name")).status).toBe(200);
      await world.soon(async () => expect((await world.anonymous.reads(near[0])).status).toBe(200));
      expect((await other.publishes(pluginZip({ name: near[0], version: "1.1.0" }))).status).toBe(201);
    });
  });
}
