import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export const deployFolder = join(import.meta.dirname, "..", "..", "deploy");

/** Paths of the files of one kind in a folder below `deploy/`. */
export function filesIn(folder: string, ending: string): string[] {
  const path = join(deployFolder, folder);
  return readdirSync(path)
    .filter((name) => name.endsWith(ending))
    .map((name) => join(path, name));
}

export interface Target {
  readonly expr: string;
  readonly datasource: { readonly uid: string };
}

export interface Panel {
  readonly id: number;
  readonly title: string;
  readonly targets: readonly Target[];
}

export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { name: string; type: string; definition?: string }[] };
}

export function dashboards(): Dashboard[] {
  return filesIn("grafana/dashboards", ".json").map((path) => JSON.parse(readFileSync(path, "utf8")) as Dashboard);
}

/** All that dashboards ask Prometheus, by where they ask it. */
export function dashboardQueries(): Map<string, string> {
  const all = dashboards().flatMap(({ title, panels, templating }) => [
    ...panels.flatMap((panel) =>
      panel.targets.map(({ expr }, index) => [`${title}: ${panel.title} ${index + 1}`, expr] as const),
    ),
    ...templating.list.flatMap(({ name, definition }) =>
      definition === undefined ? [] : [[`${title}: $${name}`, definition] as const],
    ),
  ]);
  return new Map(all);
}

export interface Rule {
  /** `alert` or `record`, with its name. */
  readonly name: string;
  readonly kind: "alert" | "record";
  /** Everything from its name to the next rule. */
  readonly text: string;
}

/** The rules as their files have them; promtool has parsed what this only cuts. */
export function rules(): Rule[] {
  return filesIn("prometheus/rules", ".yml").flatMap((path) =>
    readFileSync(path, "utf8")
      .replace(/^ *#.*$/gm, "")
      .split(/^ *- (?=(?:alert|record): )/m)
      .slice(1)
      .map((text) => {
        const [, kind, name = ""] = /^(alert|record): (\S+)/.exec(text) ?? [];
        return { name, kind: kind === "alert" ? "alert" : "record", text };
      }),
  );
}

/** The expression of a rule, on one line or several. */
export function exprOf({ text }: Rule): string {
  const block = /^ *expr: \|\n((?: {10,}.*\n?)+)/m.exec(text)?.[1];
  return block ?? /^ *expr: (.*)$/m.exec(text)?.[1] ?? "";
}
