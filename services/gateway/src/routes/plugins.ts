import { type SearchPluginsResponse, SearchSort } from "@registry/contracts/catalog";
import { plainTextPattern, teamNamePattern, versionSpecPattern, visibilities } from "@registry/domain";
import { scrub } from "@registry/kit";
import { z } from "zod";
import { everyChange } from "../cache.ts";
import { orEmpty, username } from "../forms.ts";
import { infoText, pluginFields } from "../info.ts";
import {
  choiceParameter,
  integerParameter,
  listParameter,
  pluginName,
  reasonParameter,
  shortText,
  textParameter,
} from "../input.ts";
import type { Parts } from "../parts.ts";
import { type Answer, type Call, defineRoute, json, jsonText, noContent, type Route } from "../route.ts";
import { infoSchema, pluginSchema } from "../schemas.ts";
import { wireVisibility } from "../words.ts";

const sorts = {
  relevance: SearchSort.SEARCH_SORT_RELEVANCE,
  downloads: SearchSort.SEARCH_SORT_DOWNLOADS,
  updated: SearchSort.SEARCH_SORT_UPDATED,
  created: SearchSort.SEARCH_SORT_CREATED,
  name: SearchSort.SEARCH_SORT_NAME,
} as const;

const listQuery = z.object({
  query: textParameter(256).describe("Words to look for; typing errors are borne with"),
  tags: listParameter(64, 20).describe("Every one must be there; repeat the parameter"),
  kind: listParameter(64, 20).describe("Any of these kinds; repeat the parameter"),
  category: textParameter(64),
  owner: textParameter(64).describe("Username"),
  sort: choiceParameter(["relevance", "downloads", "updated", "created", "name"]),
  limit: integerParameter(1, 100, 20),
  offset: integerParameter(0, 10_000, 0),
});
type ListQuery = z.output<typeof listQuery>;

export function pluginRoutes(parts: Parts): Route[] {
  return [
    defineRoute({
      method: "GET",
      url: "/api/v1/plugins",
      tag: "plugins",
      summary: "Plugins, with everything about each of them",
      access: "readers",
      query: listQuery,
      answers: {
        200: {
          description: "`X-Total-Count` has all matches, `Link` the pages",
          headers: ["X-Total-Count", "Link"],
          schema: z.array(infoSchema),
        },
      },
      handle: (call) => list(parts, call),
    }),
    defineRoute({
      method: "GET",
      url: "/api/v1/plugins/:name",
      tag: "plugins",
      summary: "One plugin with its releases",
      access: "readers",
      query: z.object({
        version: textParameter(128, orEmpty(versionSpecPattern)).describe(
          "Exact version, npm range or channel; default `latest`",
        ),
      }),
      answers: { 200: { description: "The plugin, seen at that release", schema: infoSchema } },
      handle: (call) => info(parts, call),
    }),
    defineRoute({
      method: "PATCH",
      url: "/api/v1/plugins/:name",
      tag: "plugins",
      summary: "Change what is not in the archive; absent fields stay",
      access: "users",
      body: z.strictObject({
        title: shortText(200).meta({ maxLength: 200, pattern: plainTextPattern }).optional(),
        description: shortText(1000).meta({ maxLength: 1000, pattern: plainTextPattern }).optional(),
        visibility: z.enum(visibilities).optional(),
        verified: z.boolean().optional().describe("Administrators only"),
        owner: username.optional().describe("Username of the new owner; see also `…/transfer`"),
        team: shortText(39)
          .meta({ maxLength: 39, pattern: orEmpty(teamNamePattern) })
          .optional()
          .describe("Of the organisation that owns it; empty for none"),
      }),
      answers: { 200: { description: "As it is now", schema: pluginSchema } },
      async handle({ params, body, context }) {
        const name = pluginName(params.name);
        const { visibility, ...rest } = body;
        const change = visibility === undefined ? rest : { ...rest, visibility: wireVisibility(visibility) };
        const { plugin } = await parts.catalog.updatePlugin({ name, ...change }, { context });
        parts.changed(name);
        if (plugin === undefined) throw new TypeError("the catalog answered without a plugin");
        return json(pluginFields(plugin));
      },
    }),
    defineRoute({
      method: "DELETE",
      url: "/api/v1/plugins/:name",
      tag: "plugins",
      summary: "Delete every release; the name stays with its owner and the versions are burnt",
      access: "users",
      query: z.object({ reason: reasonParameter() }),
      answers: {
        200: { description: "How many releases went", schema: z.object({ deleted_releases: z.int().min(0) }) },
      },
      async handle({ params, query, context }) {
        const name = pluginName(params.name);
        const answer = await parts.catalog.deletePlugin({ name, reason: query.reason ?? "" }, { context });
        parts.changed(name);
        return json({ deleted_releases: answer.deletedReleases });
      },
    }),
    defineRoute({
      method: "DELETE",
      url: "/api/v1/plugins/:name/versions/:version",
      tag: "releases",
      summary: "Delete a release for ever",
      access: "users",
      query: z.object({ reason: reasonParameter() }),
      answers: { 204: { description: "Deleted" } },
      async handle({ params, query, context }) {
        const name = pluginName(params.name);
        const { version = "" } = params;
        await parts.catalog.deleteRelease({ name, version, reason: query.reason ?? "" }, { context });
        parts.changed(name);
        return noContent();
      },
    }),
  ];
}

async function list(parts: Parts, call: Call<ListQuery>): Promise<Answer> {
  const { query, context, origin, caller } = call;
  const found = await parts.catalog.searchPlugins(
    {
      query: query.query ?? "",
      tags: query.tags,
      kinds: query.kind,
      category: query.category ?? "",
      owner: query.owner ?? "",
      ...(query.sort === undefined ? {} : { sort: sorts[query.sort] }),
      limit: query.limit,
      offset: query.offset,
      withDetails: true,
      changedNames: parts.changedNames(),
    },
    { context },
  );
  const infos = found.details.map((details) => infoText(details, { origin, caller, links: parts.links }));
  const search = counted(parts, call, query.query, found.total);
  return jsonText(`[${infos.join(",")}]`, {
    headers: { "x-total-count": String(found.total), ...pages(call, found) },
    keep: { tags: [everyChange], ...search },
  });
}

/**
 * Counts a search that has words, and says what to count when it is answered from memory. A credential that somebody put
 * into the wrong field is neither kept nor shown.
 */
export function counted(
  parts: Parts,
  { caller, request, context }: Pick<Call, "caller" | "request" | "context">,
  query: string | undefined,
  total: number,
): { search?: { query: string; results_count: number } } {
  if (query === undefined || query.trim() === "" || request.method === "HEAD") return {};
  const search = { query: scrub(query), results_count: total };
  parts.spool.search({ ...search, user_id: caller.type === "user" ? caller.id : 0 }, context.address);
  return { search };
}

function pages({ request, origin, query }: Call<ListQuery>, { total }: SearchPluginsResponse): { link?: string } {
  const { limit, offset } = query;
  const at = (start: number, rel: string): string => {
    const address = new URL(request.originalUrl, origin);
    address.searchParams.set("limit", String(limit));
    address.searchParams.set("offset", String(start));
    return `<${origin}${address.pathname}${address.search}>; rel="${rel}"`;
  };
  const last = Math.max(0, Math.ceil(total / limit) - 1) * limit;
  const links = [
    ...(offset > 0 ? [at(0, "first"), at(Math.max(0, offset - limit), "prev")] : []),
    ...(offset + limit < total && offset + limit <= 10_000 ? [at(offset + limit, "next")] : []),
    ...(total > limit && last <= 10_000 ? [at(last, "last")] : []),
  ];
  return links.length === 0 ? {} : { link: links.join(", ") };
}

async function info(parts: Parts, call: Call<{ version?: string | undefined }>): Promise<Answer> {
  const name = pluginName(call.params.name);
  const { details } = await parts.catalog.getPlugin(
    { name, version: call.query.version ?? "" },
    { context: call.context },
  );
  if (details === undefined) throw new TypeError("the catalog answered without a plugin");
  const { origin, caller } = call;
  return jsonText(infoText(details, { origin, caller, links: parts.links }), { keep: { tags: [name] } });
}
