import { isPluginName, isRegistryError } from "@registry/domain";
import { z } from "zod";
import type { DecodedManifest, Finding, FormatReading } from "../inspection.ts";
import { present } from "../present.ts";
import { isObject, parseJsonObject } from "../text/json.ts";
import type { JsonObject } from "../text/value.ts";
import { carriedVersion } from "./carried.ts";
import { type McpReading, readMcpConfig } from "./mcp-config.ts";
import type { Package } from "./read.ts";
import { authorOf, descriptionField, fit, textOf, textsOf, unknownFields, webUrl } from "./schema.ts";
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
    $schema: z.enum([schemaOf("1.0.0", "plugin"), schemaOf("1.1.0", "plugin")], {
      error: `must name the schema of Agent Plugins 1.0.0 or 1.1.0, e.g. ${schemaOf("1.0.0", "plugin")}`,
    }),
    name: z.string().refine(isPluginName, {
      error: "use 1 to 64 of a-z, 0-9, dot and hyphen, alphanumeric ends, without -- or .., and no reserved word",
    }),
    displayName: text,
    icon: text,
    version: text,
    description: descriptionField(descriptionLength).optional(),
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
  const carried = carriedVersion(manifest?.version, FILE, "/version");
  const skills = await readSkills(from);
  const mcpText = await from.text("mcp.json");
  const mcp: McpReading =
    mcpText === undefined ? { servers: [], json: {}, findings: [] } : readMcpConfig(mcpText, schemaOf(version, "mcp"));
  return present({
    kind: kindOf(skills.names.length, mcp.servers.length),
    name: manifest?.name,
    version: carried.version,
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
    manifests: [{ file: FILE, json }, { file: "mcp.json", json: mcp.json }, ...skills.manifests],
    findings: [
      ...unknownFields(json, fieldsOf[version], FILE),
      ...carried.findings,
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
    findings.push({ rule: "ignored-value", severity: "medium", message, file: FILE, pointer });
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

interface Skills {
  readonly names: readonly string[];
  /** The front matter of each. */
  readonly manifests: readonly DecodedManifest[];
  readonly findings: readonly Finding[];
}

async function readSkills(from: Package): Promise<Skills> {
  const names: string[] = [];
  const manifests: DecodedManifest[] = [];
  const findings: Finding[] = [];
  const skills = from.archive.files.filter((file) => /^skills\/[^/]+\/SKILL\.md$/.test(file.path));
  for (const { path } of skills.slice(0, MOST_SKILLS)) {
    const folder = path.split("/")[1] ?? "";
    const skill = await readOneSkill(from, path, folder);
    if ("json" in skill) {
      names.push(folder);
      manifests.push({ file: path, json: skill.json });
    } else findings.push({ rule: "invalid-skill", severity: "critical", message: skill.problem, file: path });
  }
  if (skills.length > MOST_SKILLS) {
    const message = `Only the first ${MOST_SKILLS} of ${skills.length} skills were checked; split the package`;
    findings.push({ rule: "too-many-skills", severity: "critical", message, file: "skills" });
  }
  return { names, manifests, findings };
}

/** The front matter of one skill, or what is wrong with it. */
async function readOneSkill(
  from: Package,
  path: string,
  folder: string,
): Promise<{ readonly json: JsonObject } | { readonly problem: string }> {
  try {
    const front = readSkillFrontMatter((await from.text(path)) ?? "", path);
    return front.name === folder ? { json: front.json } : { problem: "The skill's name is not that of its folder" };
  } catch (error) {
    if (isRegistryError(error) && error.kind === "rejected") return { problem: error.message };
    throw error;
  }
}
