import { z } from "zod";
import { everyChange } from "../cache.ts";
import { docsPage, docsPolicy } from "../docs-page.ts";
import { type OpenApiInfo, openApiDocument } from "../openapi.ts";
import type { Parts } from "../parts.ts";
import { content, defineRoute, json, jsonText, type Route, redirect } from "../route.ts";

const readySchema = z.object({ status: z.enum(["ready", "not ready"]), checks: z.record(z.string(), z.boolean()) });
const plain = "text/plain; charset=utf-8";

/** What tells about the registry itself. */
export function metaRoutes(parts: Parts, uiPath: string): Route[] {
  const { config, version } = parts;
  const one = { method: "GET", tag: "registry", access: "anyone" } as const;
  return [
    defineRoute({
      ...one,
      url: "/",
      access: "readers",
      summary: "The registry; a browser is sent to a page to look at",
      answers: {
        200: {
          description: "Name, version and how many plugins there are to see",
          schema: z.object({ name: z.string(), version: z.string(), plugins_count: z.int().min(0) }),
        },
        302: { description: "For a browser", headers: ["Location"] },
      },
      async handle({ request, context }) {
        if (request.headers.accept?.includes("text/html") === true) return redirect(uiPath);
        const { pluginsCount } = await parts.catalog.getRegistryInfo(
          { changedNames: parts.changedNames() },
          { context },
        );
        const root = { name: config.REGISTRY_NAME, version, plugins_count: pluginsCount };
        return json(root, { keep: { tags: [everyChange] } });
      },
    }),
    defineRoute({
      ...one,
      url: "/health",
      summary: "Whether this process runs",
      answers: { 200: { description: "It does", schema: z.object({ status: z.literal("healthy") }) } },
      handle: async () => json({ status: "healthy" }),
    }),
    defineRoute({
      ...one,
      url: "/ready",
      summary: "Whether this process may be sent work",
      answers: {
        200: { description: "It may", schema: readySchema },
        503: { description: "Something that it needs is away", schema: readySchema },
      },
      async handle() {
        const checks = await parts.checks();
        // The outbox bridges the bus's absence, so it is shown and no reason to send work elsewhere.
        const ready = Object.entries(checks).every(([name, holds]) => holds || name === "bus");
        return json({ status: ready ? "ready" : "not ready", checks }, { status: ready ? 200 : 503 });
      },
    }),
    defineRoute({
      ...one,
      url: "/metrics",
      summary: "Counters and histograms for Prometheus",
      answers: { 200: { description: "Prometheus text", type: "text/plain" } },
      async handle() {
        const { registry } = parts.metrics;
        return content(await registry.metrics(), registry.contentType);
      },
    }),
    defineRoute({
      ...one,
      url: "/.well-known/security.txt",
      summary: "Where to report a security problem",
      answers: { 200: { description: "RFC 9116", type: "text/plain" } },
      async handle({ origin }) {
        const day = 86_400_000;
        const expires = new Date(Math.floor(parts.clock.now().getTime() / day + 180) * day).toISOString();
        const contact = config.SECURITY_CONTACT ?? `${origin}/docs#security`;
        const lines = [`Contact: ${contact}`, `Expires: ${expires}`, `Canonical: ${origin}/.well-known/security.txt`];
        return content(`${lines.join("\n")}\n`, plain);
      },
    }),
  ];
}

/** The documentation of all these routes, and of itself. */
export function docsRoutes(others: readonly Route[], info: OpenApiInfo): Route[] {
  const one = { method: "GET", tag: "registry", access: "anyone" } as const;
  let document = "";
  let page = "";
  const routes: Route[] = [
    defineRoute({
      ...one,
      url: "/openapi.json",
      summary: "This API for programs",
      answers: { 200: { description: "OpenAPI 3.1", schema: z.record(z.string(), z.unknown()) } },
      handle: async () => jsonText(document, { keep: { tags: [] } }),
    }),
    defineRoute({
      ...one,
      url: "/docs",
      summary: "This API for people",
      answers: { 200: { description: "A page", type: "text/html" } },
      handle: async () =>
        content(page, "text/html; charset=utf-8", { headers: { "content-security-policy": docsPolicy } }),
    }),
  ];
  document = JSON.stringify(openApiDocument([...others, ...routes], info));
  page = docsPage([...others, ...routes], info.title);
  return routes;
}
