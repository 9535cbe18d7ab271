import { agenticraftKinds, invalid } from "@registry/domain";
import { z } from "zod";
import { everyChange } from "../cache.ts";
import { orEmpty, wordPattern } from "../forms.ts";
import { pluginFields, searchResult } from "../info.ts";
import { integerParameter, textParameter } from "../input.ts";
import type { Parts } from "../parts.ts";
import { type Answer, type Call, defineRoute, json, jsonText, type Route } from "../route.ts";
import { pluginSchema, searchSchema } from "../schemas.ts";
import { timeText } from "../words.ts";
import { counted } from "./plugins.ts";

const searchQuery = z.object({
  q: textParameter(256).describe("Words to look for; typing errors are borne with"),
  type: textParameter(64, orEmpty(wordPattern(agenticraftKinds, "plugintype."))).describe(
    `One of ${agenticraftKinds.join(", ")}, or as the client spells it: PluginType.TOOL`,
  ),
  category: textParameter(64).describe("E.g. `data`, or as the client spells it: PluginCategory.DATA"),
  limit: integerParameter(1, 100, 20),
  offset: integerParameter(0, 10_000, 0),
});

/** What the AgentiCraft client asks to find plugins. */
export function searchRoutes(parts: Parts): Route[] {
  return [
    defineRoute({
      method: "GET",
      url: "/api/v1/search",
      tag: "plugins",
      summary: "Search among the kinds that the AgentiCraft client knows",
      access: "readers",
      query: searchQuery,
      answers: { 200: { description: "Best match first", headers: ["X-Total-Count"], schema: searchSchema } },
      handle: (call) => search(parts, call),
    }),
    defineRoute({
      method: "GET",
      url: "/api/v1/plugins/all",
      tag: "plugins",
      summary: "Every plugin, without manifests",
      access: "readers",
      answers: {
        200: {
          description: "By name",
          schema: z.object({ plugins: z.array(pluginSchema.extend({ version: z.string() })), updated_at: z.string() }),
        },
      },
      handle: (call) => dump(parts, call),
    }),
  ];
}

/** `PluginType.TOOL`, `TOOL` and `tool` mean the same. */
function enumWord(text: string | undefined, prefix: string): string {
  const word = text ?? "";
  const bare = word.toLowerCase().startsWith(`${prefix}.`) ? word.slice(prefix.length + 1) : word;
  return bare.toLowerCase().replaceAll("_", "-");
}

async function search(parts: Parts, call: Call<z.output<typeof searchQuery>>): Promise<Answer> {
  const { query, context } = call;
  const type = enumWord(query.type, "plugintype");
  const kind = agenticraftKinds.find((known) => known === type);
  if (type !== "" && kind === undefined) {
    throw invalid("INVALID_QUERY", `type: expected one of ${agenticraftKinds.join(", ")}`, "/type");
  }
  const { plugins, total } = await parts.catalog.searchPlugins(
    {
      query: query.q ?? "",
      kinds: kind === undefined ? [...agenticraftKinds] : [kind],
      category: enumWord(query.category, "plugincategory"),
      limit: query.limit,
      offset: query.offset,
      changedNames: parts.changedNames(),
    },
    { context },
  );
  const counts = counted(parts, call, query.q, total);
  return json(
    { results: plugins.map(searchResult) },
    { headers: { "x-total-count": String(total) }, keep: { tags: [everyChange], ...counts } },
  );
}

const pageSize = 500;
/** Where a registry outgrows this, clients have lists with pages. */
const maxDumped = 100_000;

async function dump(parts: Parts, { context }: Call): Promise<Answer> {
  const texts: string[] = [];
  let updatedAt: string | null = null;
  let pageToken = "";
  const changedNames = parts.changedNames();
  do {
    const page = await parts.catalog.listPlugins({ page: { pageSize, pageToken }, changedNames }, { context });
    for (const plugin of page.plugins) texts.push(JSON.stringify({ ...pluginFields(plugin), version: plugin.latest }));
    updatedAt ??= timeText(page.updatedAt);
    pageToken = page.nextPageToken;
  } while (pageToken !== "" && texts.length < maxDumped);
  const updated = JSON.stringify(updatedAt ?? parts.clock.now().toISOString());
  return jsonText(`{"plugins":[${texts.join(",")}],"updated_at":${updated}}`, { keep: { tags: [everyChange] } });
}
