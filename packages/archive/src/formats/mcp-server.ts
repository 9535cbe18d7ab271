import { isPluginName } from "@registry/domain";
import { z } from "zod";
import type { FormatReading } from "../inspection.ts";
import type { ArchiveLimits } from "../limits.ts";
import { present } from "../present.ts";
import { parseJsonObject } from "../text/json.ts";
import { repositoryOf } from "./npm.ts";
import { fit, textOf, versionField, webUrl } from "./schema.ts";
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
    description: z.string().min(1).max(Math.min(100, limits.descriptionLength)),
    version: versionField,
    websiteUrl: webUrlField.optional(),
    repository: z.looseObject({ url: z.string(), source: z.string() }).optional(),
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
  const name = `@${fields?.name ?? ""}`.toLowerCase();
  return present({
    kind: "mcp-server",
    name: isPluginName(name) ? name : undefined,
    version: fields?.version,
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
    findings: [],
  });
}
