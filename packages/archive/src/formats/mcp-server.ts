import { isPluginName } from "@registry/domain";
import { z } from "zod";
import type { FormatReading } from "../inspection.ts";
import type { ArchiveLimits } from "../limits.ts";
import { present } from "../present.ts";
import { parseJsonObject } from "../text/json.ts";
import { carriedVersion, freeVersion } from "./carried.ts";
import { repositoryOf } from "./npm.ts";
import { fit, textOf, webUrl } from "./schema.ts";
import { isWebUrl, Violations } from "./violations.ts";

const FILE = "server.json";

const webUrlField = z.string().refine(isWebUrl, { error: "must be an absolute http or https URL" });
const manifestSchema = (limits: ArchiveLimits) =>
  z.looseObject({
    $schema: z.string().optional(),
    name: z
      .string()
      .min(3)
      .max(200)
      .regex(/^[a-zA-Z0-9.-]+\/[a-zA-Z0-9._-]+$/, {
        error: "must be reverse-DNS with one slash, e.g. com.example/weather",
      }),
    title: z.string().min(1).max(100).optional(),
    description: z
      .string({ error: "is required" })
      .min(1, { error: "is empty; say what the server does" })
      .max(Math.min(100, limits.descriptionLength), {
        error: ({ maximum }) =>
          `has more than the ${maximum} characters that the MCP Registry's schema allows; shorten it`,
      }),
    version: z
      .string({ error: "is required, as a text at the top; version_detail of the first drafts is not read" })
      .regex(freeVersion, { error: "is not a version; use MAJOR.MINOR.PATCH, e.g. 1.2.0" }),
    websiteUrl: webUrlField.optional(),
    // The public registry's own publisher writes an empty object where there is no repository.
    repository: z.looseObject({ url: z.string().optional(), source: z.string().optional() }).optional(),
    packages: z
      .array(
        z.looseObject({
          registryType: z.string().min(1),
          identifier: z.string().min(1),
          version: z.string().min(1).max(255).optional(),
          transport: z.looseObject({ type: z.enum(["stdio", "streamable-http", "sse"]) }),
        }),
      )
      .optional(),
    remotes: z.array(z.looseObject({ type: z.enum(["streamable-http", "sse"]), url: z.string().min(1) })).optional(),
  });

/**
 * Reads an entry of the MCP Registry schema. `com.example/weather` becomes the plugin name `@com.example/weather`
 * where that fits the registry's rule, else the publisher gives one; the manifest keeps the original.
 */
export function readMcpServer(text: string, limits: ArchiveLimits): FormatReading {
  const manifest = parseJsonObject(text, FILE);
  const violations = new Violations(FILE);
  const fields = fit(manifestSchema(limits), manifest, violations);
  violations.check();
  const { version, findings } = carriedVersion(fields?.version, FILE, "/version");
  const name = `@${fields?.name ?? ""}`.toLowerCase();
  return present({
    kind: "mcp-server",
    name: isPluginName(name) ? name : undefined,
    version,
    manifest,
    record: present({
      title: fields?.title ?? fields?.name ?? "",
      description: fields?.description ?? "",
      license: textOf(manifest.license),
      homepage: webUrl(manifest.websiteUrl),
      repository: repositoryOf(manifest),
      tags: [],
      capabilities: [],
      dependencies: [],
    }),
    manifests: [{ file: FILE, json: manifest }],
    findings,
  });
}
