import {
  channelPattern,
  digestPattern,
  orgNamePattern,
  pluginNamePattern,
  teamNamePattern,
  versionPattern,
  visibilities,
} from "@registry/domain";
import { z } from "zod";
import { orEmpty, pathForms, versionSpecForm } from "./forms.ts";
import { headersOf, problemResponses, problemsOf } from "./openapi-answers.ts";
import { openApiWebhooks } from "./openapi-webhooks.ts";
import { needsCredential, type Route, templateOf } from "./route.ts";
import { problemSchema } from "./schemas.ts";

type Json = { readonly [key: string]: unknown };

function accessDoc({ access, signed }: Route, anonymousRead: boolean): string {
  if (access === "anyone") return "Needs no credential.";
  if (access === "users" || !(anonymousRead || signed)) return "Needs a credential.";
  return signed && !anonymousRead
    ? "Needs a credential, or a signature in the query."
    : "Needs a credential only for what is not public.";
}

const form = {
  type: "object",
  required: ["package"],
  properties: {
    package: { type: "string", format: "binary", description: "The archive: zip or tar.gz" },
    manifest: { type: "string", description: "The manifest; name and version are compared with the archive's own" },
    version: {
      type: "string",
      maxLength: 64,
      pattern: orEmpty(versionPattern),
      description: "Refused if the archive says otherwise",
    },
    name: {
      type: "string",
      maxLength: 130,
      pattern: orEmpty(pluginNamePattern),
      description: "Where the archive carries none, or none with a namespace: `@namespace/name` publishes it there",
    },
    visibility: { enum: [...visibilities], description: "For a new name; default public" },
    owner: {
      type: "string",
      pattern: orEmpty(orgNamePattern),
      description: "For a new name: the organisation that is to own it",
    },
    team: {
      type: "string",
      pattern: orEmpty(teamNamePattern),
      description: "For a new name of an organisation: its team",
    },
    channel: {
      type: "string",
      pattern: orEmpty(channelPattern),
      description: "Channel to move to this release beside `latest`",
    },
    sha256: { type: "string", pattern: digestPattern, description: "Of the archive; refused if other bytes arrive" },
    dry_run: {
      enum: ["true", "1", "false", "0"],
      description: "As in the query; refused if the two contradict each other",
    },
  },
};

/** Collects named schemas while they are written down. */
class Components {
  readonly schemas: Record<string, unknown> = {};

  /** @param io whether the schema is of what comes in or of what it is read as */
  write(schema: z.ZodType, io: "input" | "output" = "output"): Json {
    const { $schema: _schema, $defs, id, ...written } = z.toJSONSchema(schema, { io, unrepresentable: "any" }) as Json;
    for (const [name, definition] of Object.entries(($defs ?? {}) as Json)) {
      const { id: _id, ...rest } = definition as Json;
      this.schemas[name] = relinked(rest);
    }
    if (typeof id !== "string") return relinked(written) as Json;
    this.schemas[id] = relinked(written);
    return { $ref: `#/components/schemas/${id}` };
  }
}

/** References inside one schema become references to the document's components. */
function relinked(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(relinked);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) =>
      key === "$ref" && typeof inner === "string"
        ? [key, inner.replace("#/$defs/", "#/components/schemas/")]
        : [key, relinked(inner)],
    ),
  );
}

function pathParameters({ url, method }: Route): Json[] {
  // Who changes something says exactly which release, and immutable bytes have one version.
  const isAsked = method === "GET" && !url.startsWith("/plugins/");
  return [...templateOf(url).matchAll(/\{([a-z_]+)\}/g)].map(([, name = ""]) => {
    const form = pathForms[name];
    if (form === undefined) throw new TypeError(`the path parameter ${name} is described nowhere`);
    const schema = name === "version" && isAsked ? versionSpecForm : form.schema;
    return { name, in: "path", required: true, description: form.description, schema };
  });
}

function queryParameters(route: Route, components: Components): Json[] {
  if (route.query === undefined) return [];
  const { properties = {} } = components.write(route.query) as { properties?: Record<string, Json> };
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: "query",
    required: false,
    ...(schema.type === "array" ? { style: "form", explode: true } : {}),
    ...(description === undefined ? {} : { description }),
    schema,
  }));
}

function requestBody(route: Route, components: Components): Json {
  if (route.body === undefined) return {};
  const content =
    route.body === "form"
      ? { "multipart/form-data": { schema: form } }
      : { "application/json": { schema: components.write(route.body, "input") } };
  const optional = route.body !== "form" && route.body.safeParse(undefined).success;
  return { requestBody: { required: !optional, content } };
}

function responses(route: Route, components: Components): Json {
  const isRead = route.method === "GET";
  const known = Object.entries(route.answers).map(([status, answer]) => {
    const { description, schema, type } = answer;
    const common = { description, ...headersOf(answer, status, isRead) };
    if (schema === undefined && type === undefined) return [status, common];
    const page = schema === undefined ? {} : { "application/json": { schema: components.write(schema, "input") } };
    const others = Object.fromEntries([type ?? []].flat().map((each) => [each, {}]));
    return [status, { ...common, content: { ...page, ...others } }];
  });
  const unchanged = isRead && 200 in route.answers ? { 304: { description: "What `If-None-Match` names" } } : {};
  return { ...problemsOf(route), ...unchanged, ...Object.fromEntries(known) };
}

function operation(route: Route, components: Components, anonymousRead: boolean): Json {
  const parameters = [...pathParameters(route), ...queryParameters(route, components)];
  const isOptional = route.access === "readers" && !needsCredential(route, anonymousRead);
  return {
    operationId: `${route.method.toLowerCase()}${templateOf(route.url).replace(/[^A-Za-z0-9]+(.)?/g, (_, c) => String(c ?? "").toUpperCase())}`,
    tags: [route.tag],
    summary: route.summary,
    description: accessDoc(route, anonymousRead),
    ...(route.access === "anyone" ? { security: [] } : {}),
    ...(isOptional ? { security: [{}, { bearer: [] }] } : {}),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...requestBody(route, components),
    responses: responses(route, components),
  };
}

export interface OpenApiInfo {
  readonly title: string;
  readonly version: string;
  /** False: every read needs a credential. */
  readonly anonymousRead: boolean;
}

/** The OpenAPI 3.1 document of these routes. */
export function openApiDocument(routes: readonly Route[], { title, version, anonymousRead }: OpenApiInfo): Json {
  const components = new Components();
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes.filter(({ documented }) => documented !== false)) {
    const path = templateOf(route.url);
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route, components, anonymousRead) };
  }
  const responses = problemResponses(components.write(problemSchema, "input"));
  return {
    openapi: "3.1.0",
    info: {
      title,
      version,
      description: "A self-hosted registry for the plugins, tools, skills and MCP servers of AI agents.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/" }],
    security: [{ bearer: [] }],
    paths,
    webhooks: openApiWebhooks((schema) => components.write(schema, "input")),
    components: {
      securitySchemes: { bearer: { type: "http", scheme: "bearer", description: "A signed token or an API token" } },
      responses,
      schemas: components.schemas,
    },
  };
}
