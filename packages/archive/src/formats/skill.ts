import { isPluginName, isVersion } from "@registry/domain";
import type { FormatReading } from "../inspection.ts";
import type { ArchiveLimits } from "../limits.ts";
import { present } from "../present.ts";
import { refused } from "../refuse.ts";
import { type JsonObject, toJson, type Value } from "../text/value.ts";
import { parseYaml } from "../text/yaml.ts";
import { FieldReader } from "./fields.ts";
import { Violations } from "./violations.ts";

const LONGEST_FRONT_MATTER = 8192;

export interface SkillFrontMatter {
  readonly name: string;
  readonly description: string;
  readonly license: string | undefined;
  readonly version: string | undefined;
  readonly author: string | undefined;
  readonly json: JsonObject;
}

/**
 * Reads the front matter of a SKILL.md: `name` (1 to 64 of a-z, 0-9 and single hyphens) and `description` (1 to 1,024
 * characters) are required. Throws `rejected` INVALID_YAML or INVALID_MANIFEST.
 */
export function readSkillFrontMatter(text: string, path: string): SkillFrontMatter {
  const block = /^\uFEFF?---[ \t]*\r?\n([\s\S]*?)(?:^|\n)---[ \t]*(?:\r?\n|$)/.exec(text)?.[1];
  if (block === undefined) {
    throw refused("INVALID_MANIFEST", `${path} must begin with front matter between two lines of ---`, path);
  }
  if (block.length > LONGEST_FRONT_MATTER) {
    throw refused(
      "INVALID_MANIFEST",
      `${path} has front matter over ${LONGEST_FRONT_MATTER} characters; shorten it`,
      path,
    );
  }
  const document = parseYaml(block, path);
  const violations = new Violations(path);
  if (!(document instanceof Map)) violations.add("", "has front matter that is not a map of keys and values");
  violations.check();
  const fields = new FieldReader(document instanceof Map ? document : new Map<string, Value>(), "", violations);
  const metadata = fields.map("metadata");
  const result: SkillFrontMatter = {
    name: fields.requiredText("name", {
      matches: (name) => /^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(name) && name.length <= 64,
      allowed: "use 1 to 64 of a-z, 0-9 and single hyphens between them",
    }),
    description: fields.requiredText("description", { longest: 1024 }),
    license: fields.text("license"),
    version: metadata?.text("version"),
    author: metadata?.text("author"),
    json: Object.fromEntries([...fields.raw].map(([key, value]) => [key, toJson(value)])),
  };
  violations.check();
  return result;
}

/** A bare Agent Skill; the version comes from `metadata.version`, else the publisher gives it. */
export function readSkill(text: string, limits: ArchiveLimits): FormatReading {
  const front = readSkillFrontMatter(text, "SKILL.md");
  const violations = new Violations("SKILL.md");
  if (!isPluginName(front.name)) violations.found("/name", front.name, "this name is reserved; choose another");
  if (front.description.length > limits.descriptionLength) {
    violations.add("/description", `is longer than ${limits.descriptionLength} characters`);
  }
  if (front.version !== undefined && !isVersion(front.version)) {
    violations.found("/metadata/version", front.version, "use MAJOR.MINOR.PATCH without build metadata, e.g. 1.2.0");
  }
  violations.check();
  return present({
    kind: "skill",
    name: front.name,
    version: front.version,
    manifest: front.json,
    record: present({
      title: front.name,
      description: front.description,
      author: front.author === undefined ? undefined : { name: front.author },
      license: front.license,
      tags: [],
      capabilities: [],
      dependencies: [],
    }),
    findings: [],
  });
}
