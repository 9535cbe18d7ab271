import { notFound } from "@registry/domain";
import { z } from "zod";
import { version } from "../forms.ts";
import { pluginName } from "../input.ts";
import type { Parts } from "../parts.ts";
import { type Call, defineRoute, json, noContent, type Route } from "../route.ts";
import { channelSchema } from "../schemas.ts";

/** Names for releases that move, such as `latest` and `beta`. */
export function channelRoutes(parts: Parts): Route[] {
  const url = "/api/v1/plugins/:name/channels";
  const tag = "channels";
  const channelsOf = async (name: string, { context }: Call): Promise<Readonly<Record<string, string>>> => {
    const { details } = await parts.catalog.getPlugin({ name, version: "" }, { context });
    return details?.plugin?.channels ?? {};
  };
  return [
    defineRoute({
      method: "GET",
      url,
      tag,
      summary: "Channels and the versions that they stand for",
      access: "readers",
      answers: {
        200: { description: "All of them", schema: z.object({ channels: z.record(z.string(), z.string()) }) },
      },
      async handle(call) {
        const name = pluginName(call.params.name);
        return json({ channels: await channelsOf(name, call) }, { keep: { tags: [name] } });
      },
    }),
    defineRoute({
      method: "GET",
      url: `${url}/:channel`,
      tag,
      summary: "The version that a channel stands for",
      access: "readers",
      answers: { 200: { description: "The channel", schema: channelSchema } },
      async handle(call) {
        const name = pluginName(call.params.name);
        const { channel = "" } = call.params;
        const channels = await channelsOf(name, call);
        const found = Object.hasOwn(channels, channel) ? channels[channel] : undefined;
        if (found === undefined) throw notFound("CHANNEL_NOT_FOUND", "The plugin has no such channel");
        return json({ channel, version: found }, { keep: { tags: [name] } });
      },
    }),
    defineRoute({
      method: "PUT",
      url: `${url}/:channel`,
      tag,
      summary: "Move a channel to a release, or begin one",
      access: "users",
      body: z.strictObject({ version }),
      answers: { 200: { description: "The channel", schema: channelSchema } },
      async handle({ params, body, context }) {
        const name = pluginName(params.name);
        const { channel = "" } = params;
        await parts.catalog.setChannel({ name, channel, version: body.version }, { context });
        parts.changed(name);
        return json({ channel, version: body.version });
      },
    }),
    defineRoute({
      method: "DELETE",
      url: `${url}/:channel`,
      tag,
      summary: "End a channel; `latest` goes back to the highest release",
      access: "users",
      answers: { 204: { description: "Done" } },
      async handle({ params, context }) {
        const name = pluginName(params.name);
        await parts.catalog.deleteChannel({ name, channel: params.channel ?? "" }, { context });
        parts.changed(name);
        return noContent();
      },
    }),
  ];
}
