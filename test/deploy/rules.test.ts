import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { missing } from "../servers/index.ts";
import { dashboards, deployFolder, filesIn, rules } from "./files.ts";
import { promtool } from "./promtool.ts";

const testFiles = filesIn("prometheus/tests", ".yml");

describe.skipIf(missing("promtool"))("the rules for Prometheus", () => {
  it("are read by it, and so is the example that loads them", async () => {
    const config = await promtool(["check", "config", join(deployFolder, "prometheus", "prometheus.yml")]);
    expect(config).toEqual({ ok: true, output: expect.stringContaining("SUCCESS") });
    const checked = await promtool(["check", "rules", ...filesIn("prometheus/rules", ".yml")]);
    expect(checked).toEqual({ ok: true, output: expect.stringContaining("rules found") });
  });

  it.each(testFiles.map((path) => [path.replace(/^.*\//, ""), path] as const))(
    "do what %s says",
    async (_name, path) => {
      expect(await promtool(["test", "rules", path])).toEqual({ ok: true, output: expect.any(String) });
    },
  );
});

describe("every alert", () => {
  const alerts = rules().filter(({ kind }) => kind === "alert");
  const tests = testFiles.map((path) => readFileSync(path, "utf8")).join("\n");
  const manual = readFileSync(join(deployFolder, "README.md"), "utf8");
  const anchors = new Set([...manual.matchAll(/^#+ (.+)$/gm)].map(([, title = ""]) => anchorOf(title)));

  it("has a name of its own", () => {
    expect(alerts.length).toBeGreaterThan(0);
    expect(new Set(alerts.map(({ name }) => name)).size).toBe(alerts.length);
  });

  it.each(alerts.map((rule) => [rule.name, rule.text] as const))("is tested, and explained: %s", (name, text) => {
    expect(tests).toContain(`name: ${name} fires`);
    expect(tests).toContain(`name: ${name} stays quiet`);
    const [, anchor = ""] = /runbook: deploy\/README\.md#(\S+)/.exec(text) ?? [];
    expect([...anchors]).toContain(anchor);
    expect(manual).toContain(`\`${name}\``);
    expect(text).toMatch(/severity: (?:page|warning)/);
  });
});

describe("the dashboards", () => {
  const all = dashboards();

  it("have identities and titles of their own", () => {
    expect(all.length).toBeGreaterThanOrEqual(4);
    for (const key of ["uid", "title"] as const) expect(new Set(all.map((each) => each[key])).size).toBe(all.length);
    for (const { panels } of all) expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  });

  it("ask whichever Prometheus is chosen", () => {
    for (const { title, panels, templating } of all) {
      expect([title, templating.list[0]]).toMatchObject([title, { name: "datasource", type: "datasource" }]);
      const uids = panels.flatMap(({ targets }) => targets.map(({ datasource }) => datasource.uid));
      expect([title, new Set(uids)]).toEqual([title, new Set([`\${${"datasource"}}`])]);
    }
  });
});

/** As pages of repositories make them of titles. */
function anchorOf(title: string): string {
  return title
    .toLowerCase()
    .replace(/[^\w\- ]/g, "")
    .replaceAll(" ", "-");
}
