import { readFileSync } from "node:fs";
import { changeTypes } from "@registry/domain";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Parts } from "./parts.ts";
import { type Route, templateOf } from "./route.ts";
import { allRoutes } from "./routes/index.ts";
import { type FakeStack, startFakeStack, testConfig } from "./testing/fakes.ts";

/** Only what routes look at while they are listed. */
const routes: Route[] = allRoutes({ config: testConfig, version: "1.2.3" } as Parts, {} as never, "/docs");

interface Operation {
  readonly operationId: string;
  readonly parameters?: { name: string; in: string; required: boolean; schema: object }[];
  readonly requestBody?: { required: boolean };
  readonly responses: Record<string, object>;
}
interface OpenApi {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, Operation>>;
  readonly webhooks: Record<string, { post: Operation }>;
  readonly components: Record<string, Record<string, object>>;
}

describe("the OpenAPI document", () => {
  let stack: FakeStack;
  let document: OpenApi;
  beforeAll(async () => {
    stack = await startFakeStack({});
    document = (await (await fetch(`${stack.url}/openapi.json`)).json()) as OpenApi;
  });
  afterAll(() => stack.close());

  it("has every route and no other", () => {
    const told = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(told.sort()).toEqual(routes.map(({ method, url }) => `${method} ${templateOf(url)}`).sort());
    expect(document.openapi).toBe("3.1.0");
  });

  it("is what the server does: each path answers each of its methods, and 405 to every other", async () => {
    for (const [path, methods] of Object.entries(document.paths)) {
      const url = `${stack.url}${path
        .replace("{file}", "pump-1.0.0.zip")
        .replace("{version}", "1.0.0")
        .replace(/\{[a-z]+\}/g, "pump")}`;
      for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE"]) {
        const response = await fetch(url, { method });
        await response.arrayBuffer();
        expect([path, method, response.status === 405]).toEqual([path, method, !(method.toLowerCase() in methods)]);
      }
    }
  });

  it("names each operation once, describes every part of each path, and points nowhere it should not", () => {
    const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.values(methods).map((operation) => ({ path, operation })),
    );
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { path, operation } of operations) {
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const told = (operation.parameters ?? []).filter((each) => each.in === "path").map(({ name }) => name);
      expect(told).toEqual(inPath);
      expect(operation.responses).toHaveProperty("default");
    }
    const references = JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g);
    for (const [, reference = ""] of references) {
      const [, kind = "", name] = /^#\/components\/(schemas|responses)\/(\w+)$/.exec(reference) ?? [];
      expect(Object.keys(document.components[kind] ?? {})).toContain(name);
    }
  });

  it("tells the bounds that queries are held to", () => {
    const limit = document.paths["/api/v1/plugins"]?.get?.parameters?.find(({ name }) => name === "limit");
    expect(limit?.schema).toMatchObject({ type: "integer", minimum: 1, maximum: 100, default: 20 });
    const tags = document.paths["/api/v1/plugins"]?.get?.parameters?.find(({ name }) => name === "tags");
    expect(tags?.schema).toMatchObject({ type: "array" });
  });

  it("tells where a body may be left out", () => {
    const required = (path: string) => document.paths[`/api/v1/plugins/{name}${path}`]?.put?.requestBody?.required;
    expect(required("/versions/{version}/yank")).toBe(false);
    expect(required("/deprecate")).toBe(true);
  });

  it("tells receivers of webhooks what they are sent, and how they know whom it is from", () => {
    const { webhooks } = document;
    expect(Object.keys(webhooks)).toEqual([...changeTypes, "ping"]);
    for (const { post } of Object.values(webhooks)) {
      const signed = ["webhook-id", "webhook-timestamp", "webhook-signature"];
      expect(post.parameters?.map(({ name }) => name)).toEqual(signed);
      expect(post.requestBody?.required).toBe(true);
    }
    expect(new Set(Object.values(webhooks).map(({ post }) => post.operationId)).size).toBe(9);
  });

  it("tells that the feed is a page or a stream, and that a cursor may be too old", () => {
    const responses = document.paths["/api/v1/changes"]?.get?.responses;
    const content = { "application/json": { schema: expect.anything() }, "text/event-stream": {} };
    expect(responses).toMatchObject({ 200: { content }, 410: {} });
  });

  it("agrees with the README's table", () => {
    const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
    const missing = routes.filter(({ method, url }) => !readme.includes(`\`${method} ${templateOf(url)}\``));
    expect(missing.map(({ method, url }) => `${method} ${templateOf(url)}`)).toEqual([]);
  });
});
