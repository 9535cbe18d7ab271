import { describe, expect, it, vi } from "vitest";
import { pluginZip } from "../../builders/plugin.ts";
import { sha256 } from "../http.ts";
import { expectProblem, type Info, namesIn } from "../shapes.ts";
import { countedWithinMs, password, type World } from "../world.ts";
import { everythingCounted, metricsOf, totalOf } from "./usage.ts";

export function restartStories(world: World): void {
  // Starting ten processes on two busy cores takes its time.
  describe("after all processes were stopped and started", { timeout: 300_000 }, () => {
    it("everything is there: plugins, bytes, accounts, tokens and counts", async () => {
      const publisher = await world.publisher();
      const name = world.name("phoenix");
      const zip = pluginZip({ name });
      await publisher.publishes(zip);
      await publisher.publishes(pluginZip({ name, version: "2.0.0" }));
      await publisher.deletes(name, "2.0.0");
      const { secret } = (await publisher.createsToken("kept")).json<{ secret: string }>();
      const revoked = (await publisher.createsToken("revoked")).json<{ secret: string; id: string }>();
      await publisher.request("DELETE", `/api/v1/tokens/${revoked.id}`);
      for (let i = 0; i < 3; i += 1) expect((await publisher.fetches(name, "1.0.0")).status).toBe(200);
      const repacked = await publisher.downloads(name, "1.0.0");
      await everythingCounted(world);
      const { anonymous } = world;
      await vi.waitFor(async () => expect(await totalOf(anonymous, name)).toBe(4), {
        timeout: countedWithinMs,
        interval: 100,
      });
      const before = {
        names: namesIn(await anonymous.gets("/api/v1/plugins/all")),
        metrics: await metricsOf(anonymous),
        info: (await anonymous.reads(name)).json<Info>(),
      };

      await restartAll(world);

      expect(namesIn(await anonymous.gets("/api/v1/plugins/all"))).toEqual(before.names);
      expect(await metricsOf(anonymous)).toEqual(before.metrics);
      expect((await anonymous.reads(name)).json<Info>()).toEqual(before.info);
      expectProblem(await anonymous.reads(name, "2.0.0"), 410, "RELEASE_DELETED");
      expect(sha256((await anonymous.fetches(name, "1.0.0")).bytes)).toBe(sha256(zip));
      expect(sha256((await anonymous.downloads(name, "1.0.0")).bytes)).toBe(sha256(repacked.bytes));
      expect((await publisher.gets("/api/v1/auth/me")).json()).toMatchObject({ username: publisher.username });
      expect((await publisher.with(secret).gets("/api/v1/auth/me")).status).toBe(200);
      expectProblem(await publisher.with(revoked.secret).gets("/api/v1/auth/me"), 401, "INVALID_CREDENTIAL");
      expect((await publisher.logsIn(publisher.username, password)).status).toBe(200);
      expect((await world.admin.gets("/api/v1/users")).status).toBe(200);
      await everythingCounted(world);
      await vi.waitFor(async () => expect(await totalOf(anonymous, name)).toBe(6), {
        timeout: countedWithinMs,
        interval: 100,
      });
    });

    it("every listed release still downloads with its digest", async () => {
      const { plugins } = (await world.anonymous.gets("/api/v1/plugins/all")).json<{ plugins: { name: string }[] }>();
      expect(plugins.length).toBeGreaterThan(0);
      for (const { name } of plugins) {
        const { releases } = (await world.anonymous.reads(name)).json<Info>();
        for (const release of releases) {
          const answer = await world.anonymous.gets(release.package_url);
          expect([name, release.version, sha256(answer.bytes)]).toEqual([name, release.version, release.sha256]);
        }
      }
    });
  });
}

async function restartAll({ stack }: World): Promise<void> {
  await stack.stop();
  // Each waits for itself to be ready, which takes the others: so all at once.
  await Promise.all(stack.names.map((name) => stack.restart(name)));
}
