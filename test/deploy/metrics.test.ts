import { beforeAll, describe, expect, it, vi } from "vitest";
import { pluginZip } from "../builders/plugin.ts";
import { exchange } from "../e2e/http.ts";
import { scrapeAll, valuesOf } from "../e2e/scrape.ts";
import { countedWithinMs, createWorld, type World } from "../e2e/world.ts";
import { missing } from "../servers/index.ts";
import { missingFor, type StackKind } from "../stack/index.ts";
import { askedIn, type Exported, familyOf, readExported } from "./exported.ts";
import { dashboardQueries, exprOf, rules } from "./files.ts";
import { promtool } from "./promtool.ts";

/** Prometheus's own, of the target that it scraped. */
const ofTargets: ReadonlySet<string> = new Set(["job", "instance", "process", "le", "quantile"]);

/** Some of everything that is measured. */
async function use(world: World): Promise<string> {
  const publisher = await world.publisher();
  const name = world.name("dial");
  const zip = pluginZip({ name });
  expect((await publisher.publishes(zip)).status).toBe(201);
  expect((await publisher.publishes(zip)).status).toBe(200);
  for (let i = 0; i < 3; i += 1) expect((await world.anonymous.fetches(name, "1.0.0")).status).toBe(200);
  await world.anonymous.finds({ query: name });
  expect((await world.anonymous.reads("no-such-plugin")).status).toBe(404);
  expect((await world.anonymous.gets(`/nowhere/${name}`)).status).toBe(404);
  const wrong = { json: { username: publisher.username, password: "not the password" } };
  const login = await exchange("POST", `${world.anonymous.gateway}/api/v1/auth/login`, wrong);
  expect(login.status).toBe(401);
  const series = `registry_plugin_downloads_total{plugin="${name}",version="1.0.0"}`;
  await vi.waitFor(async () => expect(valuesOf(await scrapeAll(world.stack), series)).toEqual([3]), {
    timeout: countedWithinMs,
    interval: 200,
  });
  return name;
}

const kinds: StackKind[] = ["embedded", "five"];
describe.each(kinds)("a registry, %s", (kind) => {
  describe.skipIf(missingFor(kind))("that was used", () => {
    const world = createWorld(kind);
    let name: string;
    let text: string;
    let exported: Exported;
    beforeAll(async () => {
      name = await use(world);
      text = await scrapeAll(world.stack);
      exported = readExported(text);
    });

    it.skipIf(missing("promtool"))("exports what promtool finds nothing to say against", async () => {
      for (const [process, url] of world.stack.health) {
        const { text: own } = await exchange("GET", `${url}/metrics`);
        expect([process, await promtool(["check", "metrics"], own)]).toEqual([process, { ok: true, output: "" }]);
      }
    });

    it("names a plugin in the labels of its downloads and nowhere else", () => {
      const lines = text.split("\n").filter((line) => line.includes(name));
      expect(lines).toEqual([`registry_plugin_downloads_total{plugin="${name}",version="1.0.0"} 3`]);
    });

    it("counts what was done to it", () => {
      expect(valuesOf(text, 'registry_publishes_total{outcome="published"}')).toEqual([1]);
      expect(valuesOf(text, 'registry_publishes_total{outcome="unchanged"}')).toEqual([1]);
      expect(valuesOf(text, 'registry_auth_failures_total{reason="password"}')).toEqual([1]);
      expect(valuesOf(text, 'registry_usage_spooled_total{type="download"}')).toEqual([3]);
      expect(valuesOf(text, "registry_downloads_total")).toEqual([3]);
      expect(valuesOf(text, "registry_upload_bytes_total")[0]).toBeGreaterThan(0);
      expect(valuesOf(text, "registry_download_bytes_total")[0]).toBeGreaterThan(0);
      expect(valuesOf(text, "registry_ready")).toEqual(world.stack.names.map(() => 1));
    });

    it("has every metric, by the labels, that dashboards and rules ask for", () => {
      const recorded = new Set(rules().flatMap(({ kind: of, name: own }) => (of === "record" ? [own] : [])));
      const queries = new Map([...dashboardQueries(), ...rules().map((rule) => [rule.name, exprOf(rule)] as const)]);
      const missed = [...queries].flatMap(([where, query]) => {
        const asked = askedIn(query);
        if (asked.length === 0 && !/\b(?:up|ALERTS)\b/.test(query)) return [`${where} asks for nothing: ${query}`];
        return asked.flatMap(({ metric, labels }) => {
          if (recorded.has(metric)) return [];
          if (familyOf(metric, exported) === undefined) return [`${where}: ${metric}`];
          const known = exported.labels.get(metric);
          const unknown = labels.filter((label) => known !== undefined && !known.has(label) && !ofTargets.has(label));
          return unknown.map((label) => `${where}: ${metric}{${label}}`);
        });
      });
      expect(missed).toEqual([]);
    });
  });
});
