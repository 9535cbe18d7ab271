import { z } from "zod";
import type { Dependency, FormatReading } from "../inspection.ts";
import type { ArchiveLimits } from "../limits.ts";
import { present } from "../present.ts";
import { isObject, parseJsonObject } from "../text/json.ts";
import type { JsonObject } from "../text/value.ts";
import { authorOf, descriptionField, fit, textOf, textsOf, versionField, webUrl } from "./schema.ts";
import { Violations } from "./violations.ts";

const FILE = "package.json";

const manifestSchema = (descriptionLength: number) =>
  z.looseObject({
    name: z
      .string()
      .max(214)
      .regex(/^(?:@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/, {
        error: "is not an npm package name; use lower-case letters, digits and - . _ ~, optionally @scope/ in front",
      }),
    version: versionField,
    description: descriptionField(descriptionLength).optional(),
  });

/**
 * Reads an npm package. Its name keeps npm's rule, which is wider than the registry's: who publishes it must still
 * check it against the domain's. Throws `rejected` INVALID_JSON or INVALID_MANIFEST.
 */
export function readNpm(text: string, limits: ArchiveLimits): FormatReading {
  const manifest = parseJsonObject(text, FILE);
  const violations = new Violations(FILE);
  const fields = fit(manifestSchema(limits.descriptionLength), manifest, violations);
  violations.check();
  return present({
    kind: "package",
    name: fields?.name,
    version: fields?.version,
    manifest,
    record: present({
      title: fields?.name ?? "",
      description: fields?.description ?? "",
      author: authorOf(manifest.author),
      license: licenseOf(manifest),
      homepage: webUrl(manifest.homepage),
      repository: repositoryOf(manifest),
      tags: textsOf(manifest.keywords),
      capabilities: [],
      dependencies: npmDependencies(manifest),
    }),
    manifests: [{ file: FILE, json: manifest }],
    findings: [],
  });
}

function licenseOf(manifest: JsonObject): string | undefined {
  return textOf(isObject(manifest.license) ? manifest.license.type : manifest.license);
}

export function repositoryOf(manifest: JsonObject): string | undefined {
  const written = isObject(manifest.repository) ? manifest.repository.url : manifest.repository;
  return typeof written === "string" ? webUrl(browsable(written.trim())) : undefined;
}

const hosts: ReadonlyMap<string, string> = new Map([
  ["github", "github.com"],
  ["gitlab", "gitlab.com"],
  ["bitbucket", "bitbucket.org"],
]);

/** The https form of what npm takes for a repository: `owner/name`, `gitlab:owner/name`, git and ssh addresses. */
function browsable(written: string): string {
  const [, host = "github", path] =
    /^(?:(github|gitlab|bitbucket):)?([A-Za-z0-9][\w.-]*\/[A-Za-z0-9_][\w.-]*)$/.exec(written) ?? [];
  if (path !== undefined) return `https://${hosts.get(host) ?? host}/${path}`;
  return written
    .replace(/^(?:git\+)?ssh:\/\/(?:git@)?/, "https://")
    .replace(/^git:\/\//, "https://")
    .replace(/^git@([\w.-]+):/, "https://$1/");
}

export function npmDependencies(manifest: JsonObject): readonly Dependency[] {
  const optional = isObject(manifest.optionalDependencies) ? manifest.optionalDependencies : {};
  const required = isObject(manifest.dependencies) ? manifest.dependencies : {};
  return Object.entries({ ...required, ...optional })
    .filter((entry): entry is [string, string] => typeof entry[1] === "string")
    .map(([name, requirement]) => ({ name, requirement, optional: name in optional }));
}
