import { isPluginName, isRegistryError } from "@registry/domain";
import { z } from "zod";
import type { Finding, FormatReading } from "../inspection.ts";
import { present } from "../present.ts";
import { isObject, parseJsonObject } from "../text/json.ts";
import type { JsonObject } from "../text/value.ts";
import { type McpReading, readMcpConfig } from "./mcp-config.ts";
import type { Package } from "./read.ts";
import { authorOf, fit, textOf, textsOf, unknownFields, versionField, webUrl } from "./schema.ts";
import { readSkillFrontMatter } from "./skill.ts";
import { Violations } from "./violations.ts";

const FILE = "plugin.json";
const MOST_SKILLS = 100;
const versions = ["1.0.0", "1.1.0"] as const;
type SpecVersion = (typeof versions)[number];
const schemaOf = (version: SpecVersion, file: "plugin" | "mcp"): string =>
  `https://agent-plugins.org/schemas/${version}/${file}.schema.json`;

const common = [
  "$schema",
  "name",
  "version",
  "description",
  "author",
  "homepage",
  "repository",
  "license",
  "keywords",
  "extensions",
];
const fieldsOf: { readonly [V in SpecVersion]: readonly string[] } = {
  "1.0.0": common,
  "1.1.0": [...common, "displayName", "icon"],
};

const text = z.string().optional();
const manifestSchema = (descriptionLength: number) =>
  z.looseObject({
    $schema: z.enum([schemaOf("1.0.0", "plugin"), schemaOf("1.1.0", "plugin")]),
    name: z.string().refine(isPluginName, {
      error: "use 1 to 64 of a-z, 0-9, dot and hyphen, alphanumeric ends, without -- or .., and no reserved word",
    }),
    displayName: text,
    icon: text,
    version: versionField.optional(),
    description: z.string().max(descriptionLength).optional(),
    author: z.strictObject({ name: text, email: text, url: text }).optional(),
    homepage: text,
    repository: text,
    license: text,
    keywords: z.array(z.string()).optional(),
  });

/**
 * Reads a package of the Agent Plugins specification 1.0.0 or 1.1.0: `plugin.json`, `skills/<name>/SKILL.md` and
 * `mcp.json`. Unknown fields and components that clients would pass over are findings; what makes clients reject the
 * whole plugin is refused with INVALID_MANIFEST.
 */
export async function readAgentPlugin(manifestText: string, from: Package): Promise<FormatReading> {
  const json = parseJsonObject(manifestText, FILE);
  const violations = new Violations(FILE);
  const manifest = fit(manifestSchema(from.limits.descriptionLength), json, violations);
  violations.check();
  const version = versions.find((known) => schemaOf(known, "plugin") === json.$schema) ?? "1.1.0";
  const skills = await readSkills(from);
  const mcpText = await from.text("mcp.json");
  const mcp: McpReading =
    mcpText === undefined ? { servers: [], findings: [] } : readMcpConfig(mcpText, schemaOf(version, "mcp"));
  return present({
    kind: kindOf(skills.names.length, mcp.servers.length),
    name: manifest?.name,
    version: manifest?.version,
    manifest: json,
    record: present({
      title: (version === "1.1.0" ? textOf(json.displayName) : undefined) ?? manifest?.name ?? "",
      description: manifest?.description ?? "",
      author: authorOf(json.author),
      license: textOf(json.license),
      homepage: webUrl(json.homepage),
      repository: webUrl(json.repository),
      tags: textsOf(json.keywords),
      capabilities: [...skills.names, ...mcp.servers],
      dependencies: [],
    }),
    findings: [
      ...unknownFields(json, fieldsOf[version], FILE),
      ...metadataFindings(json),
      ...skills.findings,
      ...mcp.findings,
    ],
  });
}

function kindOf(skills: number, servers: number): string {
  if (skills > 0 && servers === 0) return "skill";
  return servers > 0 && skills === 0 ? "mcp-server" : "bundle";
}

function metadataFindings(json: JsonObject): readonly Finding[] {
  const findings: Finding[] = [];
  const warn = (pointer: string, message: string): void => {
    findings.push({ rule: "ignored-value", severity: "warning", message, file: FILE, pointer });
  };
  if (json.extensions !== undefined && !isObject(json.extensions))
    warn("/extensions", "is not an object and is ignored");
  if (typeof json.icon === "string" && !/^\.\/(?!.*(?:^|\/)\.\.(?:\/|$))/.test(json.icon)) {
    warn("/icon", "is not a path inside the package that begins with ./ and is ignored");
  }
  for (const key of ["homepage", "repository"] as const) {
    if (json[key] !== undefined && webUrl(json[key]) === undefined)
      warn(`/${key}`, "is no http(s) URL and is not shown");
  }
  return findings;
}

async function readSkills(from: Package): Promise<{ names: readonly string[]; findings: readonly Finding[] }> {
  const names: string[] = [];
  const findings: Finding[] = [];
  const skills = from.archive.files.filter((file) => /^skills\/[^/]+\/SKILL\.md$/.test(file.path));
  for (const { path } of skills.slice(0, MOST_SKILLS)) {
    const folder = path.split("/")[1] ?? "";
    const problem = await checkSkill(from, path, folder);
    if (problem === undefined) names.push(folder);
    else findings.push({ rule: "invalid-skill", severity: "error", message: problem, file: path });
  }
  if (skills.length > MOST_SKILLS) {
    const message = `Only the first ${MOST_SKILLS} of ${skills.length} skills were checked; split the package`;
    findings.push({ rule: "too-many-skills", severity: "error", message, file: "skills" });
  }
  return { names, findings };
}

/** What is wrong with one skill; undefined if nothing is. */
async function checkSkill(from: Package, path: string, folder: string): Promise<string | undefined> {
  try {
    const front = readSkillFrontMatter((await from.text(path)) ?? "", path);
    return front.name === folder ? undefined : "The skill's name is not that of its folder";
  } catch (error) {
    if (isRegistryError(error) && error.kind === "rejected") return error.message;
    throw error;
  }
}
