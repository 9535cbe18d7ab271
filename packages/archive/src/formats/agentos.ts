import { isPluginName } from "@registry/domain";
import { z } from "zod";
import type { Finding, FormatReading } from "../inspection.ts";
import { present } from "../present.ts";
import { isObject, parseJsonObject } from "../text/json.ts";
import type { JsonObject } from "../text/value.ts";
import { npmDependencies, repositoryOf } from "./npm.ts";
import type { Package } from "./read.ts";
import { authorOf, descriptionField, fit, textOf, textsOf, versionField, webUrl } from "./schema.ts";
import { Violations } from "./violations.ts";

const FILE = "manifest.json";

const manifestSchema = (descriptionLength: number) =>
  z.looseObject({
    name: z.string().min(1).max(200),
    version: versionField,
    description: descriptionField(descriptionLength).optional(),
    id: z.string().max(200).optional(),
    extensionId: z.string().max(200).optional(),
    extensions: z.array(z.looseObject({ kind: z.string().min(1), id: z.string().optional() })).optional(),
    kind: z.string().min(1).optional(),
  });

/**
 * Reads an AgentOS extension in both dialects of `manifest.json`: `id` with `extensions[]`, and `kind`, `extensionId`
 * and `entryPoint` at the top. Its name is the one in `package.json`, under which clients install it, else `name` or
 * the id where they fit the registry's rule. Throws `rejected` INVALID_JSON or INVALID_MANIFEST.
 */
export async function readAgentOs(text: string, from: Package): Promise<FormatReading> {
  const manifest = parseJsonObject(text, FILE);
  const packageText = await from.text("package.json");
  const npm = packageText === undefined ? {} : parseJsonObject(packageText, "package.json");
  const violations = new Violations(FILE);
  const fields = fit(manifestSchema(from.limits.descriptionLength), manifest, violations);
  violations.check();
  const candidates = [npm.name, manifest.name, manifest.id, manifest.extensionId];
  return present({
    kind: kindOf([
      ...(fields?.extensions ?? []).map((extension) => extension.kind),
      ...(fields?.kind ? [fields.kind] : []),
    ]),
    name: candidates.find((name): name is string & typeof name => typeof name === "string" && isPluginName(name)),
    version: fields?.version,
    manifest,
    record: present({
      title: fields?.name ?? "",
      description: fields?.description ?? textOf(npm.description)?.slice(0, from.limits.descriptionLength) ?? "",
      author: authorOf(manifest.author) ?? authorOf(npm.author),
      license: textOf(manifest.license) ?? textOf(npm.license),
      homepage: webUrl(manifest.homepage) ?? webUrl(npm.homepage),
      repository: repositoryOf(manifest) ?? repositoryOf(npm),
      tags: textsOf(manifest.keywords),
      category: textOf(manifest.category) ?? textsOf(manifest.categories)[0],
      capabilities: textsOf(manifest.features),
      dependencies: npmDependencies(npm),
    }),
    manifests: [
      { file: FILE, json: manifest },
      { file: "package.json", json: npm },
    ],
    findings: companionFindings(manifest, npm, packageText !== undefined),
  });
}

/** The one kind of all extensions; `bundle` where there are several, or none. */
function kindOf(kinds: readonly string[]): string {
  const [kind, ...others] = new Set(kinds);
  return kind !== undefined && others.length === 0 && /^[a-z][a-z0-9-]{0,63}$/.test(kind) ? kind : "bundle";
}

function companionFindings(manifest: JsonObject, npm: JsonObject, hasPackage: boolean): readonly Finding[] {
  const warn = (rule: string, message: string, pointer?: string): Finding =>
    present({ rule, severity: "medium" as const, message, file: "package.json", pointer });
  if (!hasPackage)
    return [warn("no-package-json", "There is no package.json, so AgentOS cannot install code from this package")];
  const differs = npm.version !== undefined && npm.version !== manifest.version;
  const entries = isObject(npm.exports) || typeof npm.main === "string" || typeof npm.exports === "string";
  return [
    ...(differs ? [warn("version-differs", "package.json has another version than manifest.json", "/version")] : []),
    ...(entries ? [] : [warn("no-entry", "package.json names no main or exports", "/main")]),
  ];
}
