import { isPluginName, quote } from "@registry/domain";
import type { Finding, FormatReading } from "../inspection.ts";
import type { ArchiveLimits } from "../limits.ts";
import { present } from "../present.ts";
import { refused } from "../refuse.ts";
import { type JsonObject, Plain, toJson, type Value } from "../text/value.ts";
import { parseYaml } from "../text/yaml.ts";
import { carriedVersion } from "./carried.ts";
import { FieldReader, type TextRule } from "./fields.ts";
import { Violations } from "./violations.ts";

const FILE = "SKILL.md";
const LONGEST_FRONT_MATTER = 8192;

export interface SkillFrontMatter {
  readonly name: string;
  readonly description: string;
  readonly license: string | undefined;
  readonly version: string | undefined;
  /** JSON pointer to the version. */
  readonly versionAt: string;
  readonly author: string | undefined;
  readonly json: JsonObject;
}

const LONGEST_DESCRIPTION = 1024;

interface SkillRules {
  readonly name: TextRule;
  readonly description: TextRule;
}
/** The specification's. */
const strict: SkillRules = {
  name: { matches: keepsRule, allowed: "use 1 to 64 of a-z, 0-9 and single hyphens between them" },
  description: { longest: LONGEST_DESCRIPTION },
};
/** What clients take that only show the name, go by the folder and cut what is too long. */
const lenient: SkillRules = {
  name: {
    matches: (name) => /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]{0,200}$/u.test(name),
    allowed: "use one line of at most 200 characters",
  },
  description: {},
};

function keepsRule(name: string): boolean {
  return /^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(name) && name.length <= 64;
}

/**
 * Reads the front matter of a SKILL.md: `name` (1 to 64 of a-z, 0-9 and single hyphens) and `description` (1 to 1,024
 * characters) are required, unless other rules are given; its other fields are read where they have the usual type.
 * Throws `rejected` INVALID_YAML or INVALID_MANIFEST.
 */
export function readSkillFrontMatter(text: string, path: string, rules = strict): SkillFrontMatter {
  const block = /^\uFEFF?---[ \t]*\r?\n([\s\S]*?)(?:^|\r?\n)---[ \t]*(?:\r?\n|$)/.exec(text)?.[1];
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
  // The empty line stands for the opening ---, so that errors name the line of the file.
  const document = parseYaml(`\n${block}`, path);
  const violations = new Violations(path);
  if (!(document instanceof Map)) violations.add("", "has front matter that is not a map of keys and values");
  violations.check();
  const fields = new FieldReader(document instanceof Map ? document : new Map<string, Value>(), "", violations);
  const metadata = fields.raw.get("metadata") instanceof Map ? fields.map("metadata") : undefined;
  const result: SkillFrontMatter = {
    name: fields.requiredText("name", rules.name),
    description: fields.requiredText("description", rules.description),
    license: scalar(fields, "license"),
    version: scalar(metadata, "version") ?? scalar(fields, "version"),
    versionAt: scalar(metadata, "version") === undefined ? "/version" : "/metadata/version",
    author: scalar(metadata, "author") ?? scalar(fields, "author"),
    json: Object.fromEntries([...fields.raw].map(([key, value]) => [key, toJson(value)])),
  };
  violations.check();
  return result;
}

function scalar(fields: FieldReader | undefined, key: string): string | undefined {
  const value = fields?.raw.get(key);
  return typeof value === "string" || value instanceof Plain ? fields?.text(key) : undefined;
}

/**
 * A bare Agent Skill. Its version is `metadata.version`, else `version`, else the publisher's. A name that other clients
 * show but that the registry's rule does not take is kept as the title, and the publisher gives another.
 */
export function readSkill(text: string, limits: ArchiveLimits): FormatReading {
  const front = readSkillFrontMatter(text, FILE, lenient);
  const usable = keepsRule(front.name) && isPluginName(front.name);
  const { version, findings } = carriedVersion(front.version, FILE, front.versionAt);
  return present({
    kind: "skill",
    name: usable ? front.name : undefined,
    version,
    manifest: front.json,
    record: present({
      title: front.name,
      description: shortened(front.description, limits.descriptionLength),
      author: front.author === undefined ? undefined : { name: front.author },
      license: front.license,
      tags: [],
      capabilities: [],
      dependencies: [],
    }),
    manifests: [{ file: FILE, json: front.json }],
    findings: [...(usable ? [] : [nameFinding(front.name)]), ...descriptionFindings(front.description), ...findings],
  });
}

function nameFinding(name: string): Finding {
  const why = keepsRule(name)
    ? "is reserved here"
    : "is not 1 to 64 of a-z, 0-9 and single hyphens, as some clients ask";
  const message = `The name ${quote(name)} ${why}; the one that is given on publishing counts`;
  return { rule: "skill-name", severity: "medium", message, file: FILE, pointer: "/name" };
}

function descriptionFindings({ length }: string): readonly Finding[] {
  if (length <= LONGEST_DESCRIPTION) return [];
  const message = `The description has ${length} characters; some clients cut or refuse it after ${LONGEST_DESCRIPTION}`;
  return [{ rule: "skill-description", severity: "medium", message, file: FILE, pointer: "/description" }];
}

/** At most `longest` UTF-16 code units, without half a character at the end. */
function shortened(text: string, longest: number): string {
  return text.length <= longest ? text : `${text.slice(0, longest - 1).replace(/[\uD800-\uDBFF]$/, "")}…`;
}
