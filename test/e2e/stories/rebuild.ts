import { describe, expect, it, vi } from "vitest";
import { pluginZip } from "../../builders/plugin.ts";
import { operate } from "../operator.ts";
import type { World } from "../world.ts";
import { everythingCounted, metricsOf, totalOf } from "./usage.ts";

interface Rebuilt {
  readonly result: string;
  readonly mended?: number;
  readonly mended_by?: Record<string, number>;
  readonly replicas?: { readonly mended: number; readonly failure: string | null }[];
}

export function rebuildStories(world: World): void {
  describe("rebuilding", () => {
    const rebuild = async (projection: string): Promise<Rebuilt> => {
      const { code, out, err } = await operate(world.stack, ["rebuild", projection, "--json", "--timeout", "50"]);
      expect([code, err]).toEqual([0, ""]);
      return JSON.parse(out) as Rebuilt;
    };

    it("leaves search and counts as they are, since they follow from the truth, and goes on answering", async () => {
      const publisher = await world.publisher();
      const name = world.name("rebuilt");
      expect((await publisher.publishes(pluginZip({ name }))).status).toBe(201);
      await world.soon(async () => expect((await world.anonymous.fetches(name, "1.0.0")).status).toBe(200));
      await everythingCounted(world);
      const before = await metricsOf(world.admin);
      const total = await totalOf(publisher, name);

      const search = await rebuild("search");
      expect(search.replicas).toHaveLength(world.stack.grpc.catalog.length);
      for (const replica of search.replicas ?? []) expect(replica).toMatchObject({ mended: 0, failure: null });
      expect((await world.anonymous.gets(`/api/v1/search?q=${name}`)).text).toContain(name);

      expect(await rebuild("analytics")).toMatchObject({ result: "done", mended: 0, mended_by: {} });
      expect(await totalOf(publisher, name)).toBe(total);
      const after = await metricsOf(world.admin);
      expect(after.total_downloads).toBeGreaterThanOrEqual(before.total_downloads);
      expect(after.total_plugins).toBe(before.total_plugins);
    });

    it("may be asked for over REST, where it and the events' state are told", async () => {
      const admin = world.admin;
      const asked = await admin.sends("POST", "/api/v1/admin/rebuild", { projection: "search" });
      expect([asked.status, asked.json()]).toMatchObject([202, { projection: "search" }]);
      const done = async () => {
        expect((await admin.gets("/api/v1/admin/rebuild/search")).json()).toMatchObject({ state: "done" });
      };
      await vi.waitFor(done, { timeout: 30_000, interval: 200 });
      const status = (await admin.gets("/api/v1/admin/events")).json<{ groups: { group: string }[]; away: string[] }>();
      expect(status.groups.map(({ group }) => group)).toEqual(
        expect.arrayContaining(["analytics", "catalog-downloads", "dead-letters"]),
      );
      expect(status.away).toEqual([]);
      expect((await admin.gets("/api/v1/admin/dead-letters")).json()).toEqual({ dead_letters: [], next_cursor: null });
    });
  });
}
