import type { Release } from "@registry/contracts/catalog";
import { z } from "zod";
import { releaseAnswer } from "../info.ts";
import { plainText, pluginName } from "../input.ts";
import type { Parts } from "../parts.ts";
import { type Answer, type Call, defineRoute, type Route } from "../route.ts";
import { namedReleaseSchema } from "../schemas.ts";

/** Takes releases out of ranges and channels, and back in. */
export function yankRoutes(parts: Parts): Route[] {
  const one = {
    url: "/api/v1/plugins/:name/versions/:version/yank",
    tag: "releases",
    access: "users",
    answers: { 200: { description: "The release as it is now", schema: namedReleaseSchema } },
  } as const;
  const answer = (call: Call<unknown, unknown>, release: Release | undefined): Answer => {
    parts.changed(pluginName(call.params.name));
    return releaseAnswer(release, { ...call, links: parts.links });
  };
  return [
    defineRoute({
      ...one,
      method: "PUT",
      summary: "Yank: ranges and channels pass the release over; its exact version stays downloadable",
      body: z
        .strictObject({
          reason: plainText(0, 500, "expected a text of at most 500 characters")
            .optional()
            .describe("Shown to readers"),
        })
        .optional(),
      async handle(call) {
        const name = pluginName(call.params.name);
        const { version = "" } = call.params;
        const asked = { name, version, reason: call.body?.reason ?? "" };
        const { release } = await parts.catalog.yankRelease(asked, { context: call.context });
        return answer(call, release);
      },
    }),
    defineRoute({
      ...one,
      method: "DELETE",
      summary: "Take a yank back",
      async handle(call) {
        const name = pluginName(call.params.name);
        const { version = "" } = call.params;
        const { release } = await parts.catalog.unyankRelease({ name, version }, { context: call.context });
        return answer(call, release);
      },
    }),
  ];
}
