import { visibilities } from "@registry/domain";
import { z } from "zod";
import { type Access, type Route, templateOf } from "./route.ts";
import { problemSchema } from "./schemas.ts";

type Json = { readonly [key: string]: unknown };

const parameterDocs: Readonly<Record<string, string>> = {
  name: "Name of a plugin: `name` or `@namespace/name` (the slash may be written as %2F)",
  version: "Exact version; where a release is read also an npm range or a channel",
  file: "`{name}-{version}.zip` or `{name}-{version}.tar.gz`",
  path: "Path of a file in the package",
  channel: "Name of a channel, e.g. `beta`",
  username: "Name of a user",
  id: "Id of a token or a trusted publisher",
  org: "Name of an organisation",
  team: "Name of a team of the organisation",
};

const accessDocs: { readonly [access in Access]: string } = {
  anyone: "Needs no credential.",
  readers: "Needs a credential only where the registry asks for one on every read, or for what is not public.",
  users: "Needs a credential.",
};

const form = {
  type: "object",
  required: ["package"],
  properties: {
    package: { type: "string", format: "binary", description: "The archive: zip or tar.gz" },
    manifest: { type: "string", description: "The manifest; name and version are compared with the archive's own" },
    version: { type: "string", description: "Refused if the archive says otherwise" },
    name: {
      type: "string",
      description: "Where the archive carries none, or none with a namespace: `@namespace/name` publishes it there",
    },
    visibility: { enum: [...visibilities], description: "For a new name; default public" },
    owner: { type: "string", description: "For a new name: the organisation that is to own it" },
    team: { type: "string", description: "For a new name of an organisation: its team" },
    channel: { type: "string", description: "Channel to move to this release beside `latest`" },
    sha256: { type: "string", description: "Of the archive; refused if other bytes arrive" },
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

function pathParameters(url: string): Json[] {
  return [...templateOf(url).matchAll(/\{([a-z_]+)\}/g)].map(([, name = ""]) => ({
    name,
    in: "path",
    required: true,
    description: parameterDocs[name] ?? name,
    schema: { type: "string" },
  }));
}

function queryParameters(route: Route, components: Components): Json[] {
  if (route.query === undefined) return [];
  const { properties = {} } = components.write(route.query) as { properties?: Record<string, Json> };
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: "query",
    required: false,
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
  const known = Object.entries(route.answers).map(([status, { description, schema, type }]) => {
    if (schema !== undefined) {
      return [status, { description, content: { "application/json": { schema: components.write(schema, "input") } } }];
    }
    return [status, type === undefined ? { description } : { description, content: { [type]: {} } }];
  });
  const problem = {
    description: "What went wrong",
    content: { "application/problem+json": { schema: components.write(problemSchema, "input") } },
  };
  return { ...Object.fromEntries(known), default: problem };
}

function operation(route: Route, components: Components): Json {
  const parameters = [...pathParameters(route.url), ...queryParameters(route, components)];
  return {
    operationId: `${route.method.toLowerCase()}${templateOf(route.url).replace(/[^A-Za-z0-9]+(.)?/g, (_, c) => String(c ?? "").toUpperCase())}`,
    tags: [route.tag],
    summary: route.summary,
    description: accessDocs[route.access],
    ...(route.access === "anyone" ? { security: [] } : {}),
    ...(route.access === "readers" ? { security: [{}, { bearer: [] }] } : {}),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...requestBody(route, components),
    responses: responses(route, components),
  };
}

/** The OpenAPI 3.1 document of these routes. */
export function openApiDocument(routes: readonly Route[], title: string, version: string): Json {
  const components = new Components();
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes.filter(({ documented }) => documented !== false)) {
    const path = templateOf(route.url);
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route, components) };
  }
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
    components: {
      securitySchemes: { bearer: { type: "http", scheme: "bearer", description: "A signed token or an API token" } },
      schemas: components.schemas,
    },
  };
}
