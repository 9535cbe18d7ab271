import { describe, expect, it } from "vitest";
import { pluginZip } from "../../builders/plugin.ts";
import { exchange } from "../http.ts";
import type { World } from "../world.ts";

export function operationStories(world: World): void {
  describe("operating", () => {
    it("tells who the registry is, and sends browsers to its pages", async () => {
      const answer = await world.anonymous.gets("/");
      expect(answer.json()).toEqual({
        name: "AgentiCraft Registry",
        version: expect.stringMatching(/^\d+\.\d+\.\d+/),
        plugins_count: expect.any(Number),
      });
      const browser = await world.anonymous.gets("/", { accept: "text/html,application/xhtml+xml,*/*;q=0.8" });
      expect(browser.status).toBe(302);
      const page = await world.anonymous.gets(browser.headers.get("location") ?? "");
      expect(page.status).toBe(200);
      expect(page.headers.get("content-type")).toMatch(/^text\/html/);
    });

    it("is healthy and ready in every process", async () => {
      for (const [name, url] of world.stack.health) {
        const health = await exchange("GET", `${url}/health`);
        expect([name, health.status, health.json()]).toEqual([name, 200, { status: "healthy" }]);
        const ready = await exchange("GET", `${url}/ready`);
        expect([name, ready.status, ready.json()]).toMatchObject([name, 200, { status: "ready" }]);
      }
      for (const url of world.stack.baseUrls) {
        const { checks } = (await exchange("GET", `${url}/ready`)).json<{ checks: Record<string, boolean> }>();
        expect(checks).toMatchObject({ database: true, storage: true, cache: true });
      }
    });

    it("measures itself in every process", async () => {
      for (const [name, url] of world.stack.health) {
        const metrics = await exchange("GET", `${url}/metrics`);
        expect([name, metrics.status]).toEqual([name, 200]);
        expect(metrics.headers.get("content-type")).toMatch(/^text\/plain/);
        expect(metrics.text).toContain("process_cpu_seconds_total");
      }
      const publisher = (await world.publisher()).at(world.anonymous.gateway);
      const name = world.name("gauge");
      await world.soon(async () => expect((await publisher.publishes(pluginZip({ name }))).status).toBeLessThan(202));
      expect((await publisher.reads(name)).status).toBe(200);
      const gateway = await publisher.anonymously.gets("/metrics");
      expect(gateway.text).toMatch(
        /^registry_api_request_duration_seconds_count\{method="GET",endpoint="\/api\/v1\/plugins\/\{name\}",status="200"\} [1-9]/m,
      );
    });

    it("documents every route that it has", async () => {
      const answer = await world.anonymous.gets("/openapi.json");
      expect(answer.headers.get("content-type")).toMatch(/json/);
      const { openapi, paths } = answer.json<{ openapi: string; paths: Record<string, Record<string, unknown>> }>();
      expect(openapi).toMatch(/^3\.1\./);
      expect(Object.keys(paths["/api/v1/plugins"] ?? {})).toEqual(expect.arrayContaining(["get", "post"]));
      expect(Object.keys(paths["/api/v1/plugins/{name}"] ?? {})).toEqual(
        expect.arrayContaining(["get", "patch", "delete"]),
      );
      expect(Object.keys(paths)).toEqual(
        expect.arrayContaining([
          "/health",
          "/ready",
          "/metrics",
          "/api/v1/search",
          "/api/v1/plugins/all",
          "/api/v1/plugins/publish",
          "/api/v1/plugins/{name}/download/{version}",
          "/api/v1/auth/login",
          "/api/v1/users",
          "/api/v1/tokens",
          "/api/v1/analytics/popular",
        ]),
      );
    });

    it("sends headers that keep browsers from doing harm with what it stores", async () => {
      const { headers } = await world.anonymous.gets("/api/v1/plugins");
      expect(Object.fromEntries(headers)).toMatchObject({
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "x-xss-protection": "1; mode=block",
        "content-security-policy": expect.stringContaining("default-src 'none'"),
        "x-request-id": expect.any(String),
      });
      const crossed = await world.anonymous.gets("/api/v1/plugins", { origin: "https://evil.example" });
      expect(crossed.headers.has("access-control-allow-origin")).toBe(false);
    });

    it("answers unchanged lists with 304", async () => {
      const first = await world.anonymous.gets("/api/v1/plugins?limit=5&sort=name");
      const etag = first.headers.get("etag") ?? "";
      expect(etag).toMatch(/^"/);
      const second = await world.anonymous.gets("/api/v1/plugins?limit=5&sort=name", { "if-none-match": etag });
      expect([second.status, second.bytes.length]).toEqual([304, 0]);
    });

    it("pages through lists, with links to follow", async () => {
      const publisher = await world.publisher();
      const tag = world.name("tag");
      const names = Array.from({ length: 8 }, () => world.name("page"));
      for (const name of names) expect((await publisher.publishes(pluginZip({ name, tags: [tag] }))).status).toBe(201);
      await world.soon(async () => {
        const answer = await world.anonymous.finds({ tags: tag, limit: "1" });
        expect(answer.headers.get("x-total-count")).toBe("8");
      });
      const seen: string[] = [];
      let next: string | undefined = `/api/v1/plugins?tags=${tag}&sort=name&limit=3`;
      for (let page = 0; page < 5 && next !== undefined; page += 1) {
        const answer = await world.anonymous.gets(next);
        seen.push(...answer.json<{ name: string }[]>().map(({ name }) => name));
        next = /<([^>]+)>; rel="next"/.exec(answer.headers.get("link") ?? "")?.[1];
      }
      expect(seen).toEqual([...names].sort());
    });
  });
}
