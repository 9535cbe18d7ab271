import { compareVersions, isPluginName, listedStates, type Version } from "@registry/domain";
import type { ReleaseDocument } from "./release.ts";

/** What a package says that it needs. */
export type Dependency = {
  readonly name: string;
  /** As its manifest has it: `*`, `^1.2.0`, … */
  readonly requirement: string;
  readonly optional: boolean;
};

/** What a plugin needs, and of which of its releases that is told: the one that `latest` names where it does, else the highest. */
export type Need = Dependency & { readonly version: Version };

export type Needing = Pick<ReleaseDocument, "version" | "state" | "dependencies">;

const mostDependencies = 100;
const longestRequirement = 128;

/** Of the normalised record of an upload. What cannot be the name of a plugin is left out. */
export function readDependencies(recordJson: string): Dependency[] {
  return dependenciesIn(objectOf(parse(recordJson)).dependencies);
}

/** Of the manifest of a release that an earlier version of the registry stored; what is in no manifest is not known any more. */
export function dependenciesOfManifest(format: string, manifestJson: string): Dependency[] {
  const manifest = objectOf(parse(manifestJson));
  switch (format) {
    case "agenticraft":
      return dependenciesIn(objectOf(manifest.requirements).dependencies);
    case "npm":
      return dependenciesIn([...ranges(manifest.dependencies, false), ...ranges(manifest.optionalDependencies, true)]);
    default:
      return [];
  }
}

function dependenciesIn(list: unknown): Dependency[] {
  const found = new Map<string, Dependency>();
  for (const each of Array.isArray(list) ? list : []) {
    const { name, requirement, version, optional } = objectOf(each);
    if (typeof name !== "string" || !isPluginName(name) || found.size >= mostDependencies) continue;
    const range = [requirement, version].find((text) => typeof text === "string") ?? "*";
    found.set(name, { name, requirement: range.slice(0, longestRequirement), optional: optional === true });
  }
  return [...found.values()];
}

function ranges(dependencies: unknown, optional: boolean): object[] {
  return Object.entries(objectOf(dependencies)).map(([name, requirement]) => ({ name, requirement, optional }));
}

/** By name. */
export function needsOf(latest: Version | "", releases: readonly Needing[]): Need[] {
  const listed = releases.filter(({ state }) => listedStates.includes(state));
  const order = listed.sort((a, b) => rank(latest, b) - rank(latest, a) || compareVersions(b.version, a.version));
  const needs = new Map<string, Need>();
  for (const { version, dependencies = [] } of order) {
    for (const each of dependencies) if (!needs.has(each.name)) needs.set(each.name, { ...each, version });
  }
  return [...needs.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

const rank = (latest: Version | "", { version }: Needing): number => (version === latest ? 1 : 0);

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
