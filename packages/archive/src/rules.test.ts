import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { inconclusiveRules } from "@registry/domain";
import { expect, it } from "vitest";
import { archiveRules } from "./rules.ts";

const root = import.meta.dirname;
const makesFindings = /^(?:formats|scan)\/|^(?:inspect|detect)\.ts$/;
const sources = readdirSync(root, { recursive: true, encoding: "utf8" })
  .map((path) => path.replaceAll("\\", "/"))
  .filter((path) => makesFindings.test(path) && path.endsWith(".ts") && !path.endsWith(".test.ts"))
  .map((path) => readFileSync(join(root, path), "utf8"));

/** Words of the same shape that are no rules: formats, transports, encodings. */
const others = new Set(["agent-plugin", "mcp-server", "streamable-http", "utf-16le", "utf-16be"]);
/** `${what}-not-scanned` with "code" and "text" for what. */
const composed = ["code-not-scanned", "text-not-scanned"];

const matched = (pattern: RegExp): Set<string> =>
  new Set(sources.flatMap((source) => [...source.matchAll(pattern)].map(([, word = ""]) => word)));

it("is every rule that the sources write down", () => {
  const words = matched(/"([a-z0-9]+(?:-[a-z0-9]+)+)"/g);
  const named = matched(/\brule(?: = |: )"([^"]+)"/g);
  expect(sources.length).toBeGreaterThan(40);
  expect(named.size).toBeGreaterThan(15);
  const unknown = [...words, ...named].filter((word) => !archiveRules.has(word) && !others.has(word));
  expect(unknown).toEqual([]);
  expect([...archiveRules].filter((rule) => !words.has(rule) && !composed.includes(rule))).toEqual([]);
});

it("puts rules together in no other place than is known here", () => {
  const templates = sources.flatMap((source) => source.match(/\brule: `[^`]*`/g) ?? []);
  expect(templates).toEqual([expect.stringMatching(/^rule: `\$\{\w+\}-not-scanned`$/)]);
  for (const rule of [...composed, ...inconclusiveRules]) expect(archiveRules).toContain(rule);
});
