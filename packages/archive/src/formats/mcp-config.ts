import { z } from "zod";
import type { Finding } from "../inspection.ts";
import { isObject, parseJsonObject } from "../text/json.ts";
import type { Json, JsonObject } from "../text/value.ts";
import { issueText, pointerOf } from "./schema.ts";
import { pointerPart } from "./violations.ts";

const FILE = "mcp.json";
const texts = z.record(z.string(), z.string());
const extensions = z.record(z.string(), z.record(z.string(), z.unknown())).optional();

const stdio = z.strictObject({
  type: z.literal("stdio"),
  command: z.string().refine(isCommand, {
    error: "must be one executable: a bare name, or a path inside the package that begins with ./",
  }),
  args: z.array(z.string()).optional(),
  env: texts
    .refine((env) => !("PLUGIN_ROOT" in env) && !("PLUGIN_DATA" in env), {
      error: "may not set PLUGIN_ROOT or PLUGIN_DATA",
    })
    .optional(),
  cwd: z
    .string()
    .refine(isWorkingDirectory, { error: "must stay inside the package, PLUGIN_ROOT or PLUGIN_DATA" })
    .optional(),
  extensions,
});

const remote = z.strictObject({
  type: z.enum(["streamable-http", "sse"]),
  url: z.string().refine(isEndpoint, {
    error: "must be https (http on loopback only), without user name or fragment",
  }),
  headers: texts
    .refine((headers) => Object.entries(headers).every(isHeader), { error: "has an invalid name or value" })
    .refine(eachNameOnce, { error: "gives one name twice in different case" })
    .optional(),
  extensions,
});

/** Names under which clients send credentials: what a package holds is public. */
const credentialHeader = /^(?:authorization|proxy-authorization|cookie|.*(?:api-?key|token|secret|password).*)$/i;

export interface McpReading {
  /** Ids of the servers that keep the rules. */
  readonly servers: readonly string[];
  /** The whole file. */
  readonly json: JsonObject;
  readonly findings: readonly Finding[];
}

/**
 * Reads `mcp.json` of an Agent Plugins package. A server that breaks a rule is a finding, not a refusal, since clients
 * pass over it alone. `schema` is the one that goes with the version of `plugin.json`. Throws INVALID_JSON.
 */
export function readMcpConfig(text: string, schema: string): McpReading {
  const config = parseJsonObject(text, FILE);
  const problems: Finding[] = [];
  if (config.$schema !== schema) {
    problems.push(problem("/$schema", "must name the schema of the version that plugin.json names"));
  }
  if (!isObject(config.mcpServers)) problems.push(problem("/mcpServers", "must be an object of servers"));
  for (const key of Object.keys(config)) {
    if (key !== "$schema" && key !== "mcpServers")
      problems.push(problem(`/${pointerPart(key)}`, "is not allowed here"));
  }
  if (problems.length > 0 || !isObject(config.mcpServers)) return { servers: [], json: config, findings: problems };
  const read = Object.entries(config.mcpServers).map(([id, server]) => ({ id, findings: checkServer(id, server) }));
  return {
    json: config,
    servers: read.filter(({ findings }) => findings.length === 0).map(({ id }) => id),
    findings: read.flatMap(({ findings }) => findings).slice(0, 100),
  };
}

function problem(pointer: string, message: string, rule = "invalid-mcp-server"): Finding {
  return { rule, severity: "critical", message, file: FILE, pointer };
}

function checkServer(id: string, server: Json): readonly Finding[] {
  const at = `/mcpServers/${pointerPart(id)}`;
  const type = isObject(server) ? server.type : undefined;
  const schema = type === "stdio" ? stdio : remote;
  const result = schema.safeParse(server);
  const findings = result.success
    ? []
    : result.error.issues.map((issue) => problem(at + pointerOf(issue.path), issueText(issue)));
  const headers = isObject(server) && isObject(server.headers) ? server.headers : {};
  return [...findings, ...credentialFindings(at, headers)];
}

function credentialFindings(at: string, headers: JsonObject): readonly Finding[] {
  return Object.keys(headers)
    .filter((name) => credentialHeader.test(name))
    .map((name) =>
      problem(
        `${at}/headers/${pointerPart(name)}`,
        "may not carry a credential: packages are readable by others",
        "mcp-header-credential",
      ),
    );
}

function isCommand(command: string): boolean {
  if (command.startsWith("./")) return isInside(command.slice(2));
  return /^[^\s/\\:;|&<>"'`$(){}*?!#]+$/.test(command) && command !== "." && command !== "..";
}

function isWorkingDirectory(path: string): boolean {
  const rest = /^(?:\.|\$\{PLUGIN_ROOT\}|\$\{PLUGIN_DATA\})(?:\/(.*))?$/s.exec(path);
  return rest !== null && path !== "." && isInside(rest[1] ?? "");
}

/** Never climbs above where it starts. */
function isInside(path: string): boolean {
  let depth = 0;
  for (const part of path.split("/")) {
    if (part === "..") depth--;
    else if (part !== "" && part !== ".") depth++;
    if (depth < 0) return false;
  }
  return !path.includes("\\") && !path.includes("\0");
}

function isEndpoint(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || url.username !== "" || url.password !== "" || text.includes("#")) return false;
  if (url.protocol === "https:") return true;
  const loopback = url.hostname === "localhost" || url.hostname === "[::1]" || /^127\.[0-9.]+$/.test(url.hostname);
  return url.protocol === "http:" && loopback;
}

function isHeader([name, value]: readonly [string, string]): boolean {
  return /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name) && /^[\t\x20-\x7e\x80-\xff]*$/.test(value);
}

function eachNameOnce(headers: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(headers);
  return new Set(names.map((name) => name.toLowerCase())).size === names.length;
}
