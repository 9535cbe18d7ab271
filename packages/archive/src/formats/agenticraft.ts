import { agenticraftKinds, isPluginName, isVersion } from "@registry/domain";
import type { Dependency, FormatReading, PackageRecord } from "../inspection.ts";
import type { ArchiveLimits } from "../limits.ts";
import { present } from "../present.ts";
import { type JsonObject, toJson } from "../text/value.ts";
import { parseYaml } from "../text/yaml.ts";
import { FieldReader, type TextRule } from "./fields.ts";
import { Violations } from "./violations.ts";

export const agenticraftCategories = [
  "productivity",
  "development",
  "data",
  "communication",
  "research",
  "creative",
  "utility",
  "integration",
  "other",
] as const;
export const agenticraftLicenses = [
  "MIT",
  "Apache-2.0",
  "GPL-3.0",
  "BSD-3-Clause",
  "Unlicense",
  "Proprietary",
  "Other",
] as const;

const FILE = "plugin.yaml";

const nameRule: TextRule = {
  matches: (text) => /^[a-z0-9-]+$/.test(text) && isPluginName(text),
  allowed:
    "use 1 to 64 of a-z, 0-9 and hyphen, starting and ending with a letter or digit, without --, and no reserved word",
};
const versionRule: TextRule = {
  matches: (text) => /^\d+\.\d+\.\d+(?:-[A-Za-z0-9.]+)?$/.test(text) && isVersion(text),
  allowed: "use N.N.N, optionally with -prerelease and without build metadata, e.g. 1.10.0",
};
const requirementRule: TextRule = {
  matches: (text) => /^(?:\*|(?:>=?|<=?|=|~|\^)?\d+\.\d+\.\d+|\d+\.\d+\.\*|\d+\.\*)$/.test(text),
  allowed: "use *, 1.2.3, one of > >= < <= = ~ ^ and a version, 1.2.* or 1.*",
};

/**
 * Reads `plugin.yaml`: validated field by field, completed with the client's defaults; unknown keys and those that the
 * registry sets itself are dropped. Throws `rejected` INVALID_YAML or INVALID_MANIFEST with every violation.
 */
export function readAgentiCraft(text: string, limits: ArchiveLimits): FormatReading {
  const violations = new Violations(FILE);
  const document = parseYaml(text, FILE);
  if (!(document instanceof Map)) violations.add("", "is not a map of keys and values");
  const fields = new FieldReader(document instanceof Map ? document : new Map(), "", violations);
  violations.check();
  const manifest = readManifest(fields, limits);
  violations.check();
  return {
    kind: String(manifest.type),
    name: String(manifest.name),
    version: String(manifest.version),
    manifest,
    record: toRecord(fields),
    manifests: [{ file: FILE, json: objectOf(fields.raw) }],
    findings: [],
  };
}

/** Keys whose value is undefined are left out, so that nothing becomes null by accident. */
function compact(entries: Readonly<Record<string, JsonObject[string] | undefined>>): JsonObject {
  return Object.fromEntries(
    Object.entries(entries).filter((entry): entry is [string, JsonObject[string]] => entry[1] !== undefined),
  );
}

function readManifest(fields: FieldReader, limits: ArchiveLimits): JsonObject {
  return compact({
    name: fields.requiredText("name", nameRule),
    version: fields.requiredText("version", versionRule),
    type: fields.requiredChoice("type", agenticraftKinds),
    category: fields.choice("category", agenticraftCategories) ?? "other",
    title: fields.requiredText("title", { longest: 200 }),
    description: fields.requiredText("description", { longest: limits.descriptionLength }),
    long_description: fields.text("long_description") ?? null,
    author: readAuthor(fields),
    license: fields.choice("license", agenticraftLicenses) ?? "MIT",
    homepage: fields.url("homepage"),
    repository: fields.url("repository"),
    documentation: fields.url("documentation"),
    entry_point: fields.requiredText("entry_point"),
    requirements: readRequirements(fields),
    config: fields.maps("config").map(readConfig),
    tags: fields.texts("tags"),
    capabilities: fields.texts("capabilities"),
    endpoints: fields.maps("endpoints").map(readEndpoint),
    examples: fields.maps("examples").map((example) => objectOf(example.raw)),
  });
}

function objectOf(fields: FieldReader["raw"]): JsonObject {
  return Object.fromEntries([...fields].map(([key, value]) => [key, toJson(value)]));
}

function readAuthor(fields: FieldReader): JsonObject {
  const author = fields.requiredMap("author");
  if (author === undefined) return {};
  return compact({
    name: author.requiredText("name", { longest: 200 }),
    email: author.text("email", { longest: 320 }),
    url: author.url("url"),
    github: author.text("github", { longest: 200 }),
  });
}

function readRequirements(fields: FieldReader): JsonObject {
  const requirements = fields.map("requirements");
  const system = requirements?.map("system");
  return {
    python: requirements?.text("python") ?? ">=3.10",
    agenticraft: requirements?.text("agenticraft") ?? ">=0.2.0",
    dependencies: (requirements?.maps("dependencies") ?? []).map((dependency) => ({
      name: dependency.requiredText("name", { longest: 200 }),
      version: dependency.text("version", requirementRule) ?? "*",
      optional: dependency.flag("optional") ?? false,
    })),
    system: Object.fromEntries([...(system?.raw.keys() ?? [])].map((key) => [key, system?.requiredText(key) ?? ""])),
  };
}

function readConfig(config: FieldReader): JsonObject {
  return compact({
    name: config.requiredText("name"),
    description: config.requiredText("description"),
    default_value: toJson(config.requiredRaw("default_value")),
    type: config.requiredText("type"),
    required: config.flag("required") ?? false,
    env_var: config.text("env_var"),
  });
}

function readEndpoint(endpoint: FieldReader): JsonObject {
  const input = endpoint.rawMap("input_schema");
  const output = endpoint.rawMap("output_schema");
  return compact({
    path: endpoint.requiredText("path"),
    method: endpoint.text("method") ?? "POST",
    description: endpoint.requiredText("description"),
    input_schema: input === undefined ? undefined : objectOf(input),
    output_schema: output === undefined ? undefined : objectOf(output),
  });
}

function toRecord(fields: FieldReader): PackageRecord {
  const author = fields.map("author");
  return present({
    title: fields.requiredText("title"),
    description: fields.requiredText("description"),
    longDescription: fields.text("long_description"),
    author: present({
      name: author?.requiredText("name") ?? "",
      email: author?.text("email"),
      url: author?.url("url"),
    }),
    license: fields.choice("license", agenticraftLicenses) ?? "MIT",
    homepage: fields.url("homepage"),
    repository: fields.url("repository"),
    documentation: fields.url("documentation"),
    tags: fields.texts("tags"),
    category: fields.choice("category", agenticraftCategories) ?? "other",
    capabilities: fields.texts("capabilities"),
    dependencies: dependenciesOf(fields),
  });
}

function dependenciesOf(fields: FieldReader): Dependency[] {
  return (fields.map("requirements")?.maps("dependencies") ?? []).map((dependency) => ({
    name: dependency.requiredText("name"),
    requirement: dependency.text("version") ?? "*",
    optional: dependency.flag("optional") ?? false,
  }));
}
