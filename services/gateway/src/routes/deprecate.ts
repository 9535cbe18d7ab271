import type { DeprecateResponse } from "@registry/contracts/catalog";
import { isPluginName, pluginNamePattern } from "@registry/domain";
import { z } from "zod";
import { pluginFields, releaseAnswer } from "../info.ts";
import { plainText, pluginName } from "../input.ts";
import type { Parts } from "../parts.ts";
import { type Answer, type Call, defineRoute, json, type Route } from "../route.ts";
import { namedReleaseSchema, pluginSchema } from "../schemas.ts";

const message = "expected a text of 1 to 500 characters that says why";
const deprecation = z.strictObject({
  message: plainText(1, 500, message).describe("Shown to readers"),
  successor: z
    .string()
    .refine((text) => isPluginName(text), "expected the name of a plugin")
    .meta({ maxLength: 130, pattern: pluginNamePattern })
    .optional()
    .describe("Name of the plugin to use instead"),
});

/** Says that a plugin, or one release of it, should no longer be used. */
export function deprecationRoutes(parts: Parts): Route[] {
  const plugin = {
    url: "/api/v1/plugins/:name/deprecate",
    what: "a plugin",
    tag: "plugins",
    answers: { 200: { description: "The plugin as it is now", schema: pluginSchema } },
  } as const;
  const release = {
    url: "/api/v1/plugins/:name/versions/:version/deprecate",
    what: "a release",
    tag: "releases",
    answers: { 200: { description: "The release as it is now", schema: namedReleaseSchema } },
  } as const;
  return [plugin, release].flatMap(({ what, ...one }) => [
    defineRoute({
      ...one,
      method: "PUT",
      access: "users",
      summary: `Deprecate ${what}: readers are told why, and what to use instead`,
      body: deprecation,
      async handle(call) {
        const { body, context } = call;
        const said = { message: body.message, successor: body.successor ?? "" };
        return answer(parts, call, await parts.catalog.deprecate({ ...target(call), deprecation: said }, { context }));
      },
    }),
    defineRoute({
      ...one,
      method: "DELETE",
      access: "users",
      summary: `Take the deprecation of ${what} back`,
      handle: async (call) =>
        answer(parts, call, await parts.catalog.undeprecate(target(call), { context: call.context })),
    }),
  ]);
}

function target({ params }: Call): { name: string; version: string } {
  return { name: pluginName(params.name), version: params.version ?? "" };
}

function answer(parts: Parts, call: Call, { plugin, release }: DeprecateResponse): Answer {
  parts.changed(pluginName(call.params.name));
  if (call.params.version !== undefined) return releaseAnswer(release, { ...call, links: parts.links });
  if (plugin === undefined) throw new TypeError("the catalog answered without a plugin");
  return json(pluginFields(plugin));
}
