import type { PopularPlugin, SeriesDay, TrendingPlugin } from "@registry/contracts/analytics";
import { pluginNamePattern, versionPattern } from "@registry/domain";
import { z } from "zod";
import {
  dependentsSchema,
  metricsSchema,
  popularSchema,
  searchesSchema,
  trendingSchema,
  usageSchema,
} from "../analytics-schemas.ts";
import { orEmpty } from "../forms.ts";
import { flagParameter, integerParameter, pluginName, textParameter } from "../input.ts";
import type { Parts } from "../parts.ts";
import { type Answer, type Call, defineRoute, json, type Route } from "../route.ts";
import { orNull, timeText } from "../words.ts";

function popularFields({ plugin, downloadCount }: PopularPlugin): object {
  return { plugin_name: plugin, download_count: downloadCount };
}

function trendingFields({ plugin, downloads, downloadsBefore, score }: TrendingPlugin): object {
  return { plugin_name: plugin, download_count: downloads, previous_count: downloadsBefore, score };
}

/** What is used. */
export function analyticsRoutes(parts: Parts): Route[] {
  const { analytics, insights } = parts;
  const base = "/api/v1/analytics";
  const one = { method: "GET", tag: "analytics", access: "readers" } as const;
  return [
    defineRoute({
      ...one,
      url: `${base}/popular`,
      summary: "Most downloaded public plugins of the last days",
      query: z.object({ days: integerParameter(1, 365, 30), limit: integerParameter(1, 100, 10) }),
      answers: { 200: { description: "Most downloads first", schema: popularSchema } },
      async handle({ query, context }) {
        return json((await analytics.getPopular(query, { context })).plugins.map(popularFields));
      },
    }),
    defineRoute({
      ...one,
      url: `${base}/metrics`,
      summary: "The registry as a whole",
      answers: { 200: { description: "Totals", schema: metricsSchema } },
      async handle({ context }) {
        const metrics = await analytics.getMetrics({}, { context });
        return json({
          total_plugins: metrics.totalPlugins,
          total_downloads: metrics.totalDownloads,
          total_searches: metrics.totalSearches,
          active_users: metrics.activeUsers,
          popular_plugins: metrics.popularPlugins.map(popularFields),
          recent_publishes: metrics.recentPublishes.map((recent) => ({
            plugin_name: recent.plugin,
            version: recent.version,
            published_at: timeText(recent.publishedAt),
            published_by: recent.publishedBy,
          })),
        });
      },
    }),
    defineRoute({
      ...one,
      url: `${base}/trending`,
      summary: "Public plugins whose downloads grew most against as many days before",
      query: z.object({ days: integerParameter(1, 182, 7), limit: integerParameter(1, 100, 10) }),
      answers: {
        200: {
          description:
            "Highest score first: (`download_count` - `previous_count`) / √(`previous_count` + 1). None that did not grow",
          schema: trendingSchema,
        },
      },
      async handle({ query, context }) {
        return json((await insights.getTrending(query, { context })).plugins.map(trendingFields));
      },
    }),
    defineRoute({
      ...one,
      access: "users",
      url: `${base}/searches`,
      summary: "What was looked for most, for administrators",
      query: z.object({
        days: integerParameter(1, 90, 30),
        limit: integerParameter(1, 100, 10),
        without_results: flagParameter().describe("Those alone that found nothing"),
      }),
      answers: {
        200: { description: "Most searches first; of a day the 500 most frequent ones count", schema: searchesSchema },
      },
      async handle({ query, context }) {
        const { days, limit, without_results: withoutResults = false } = query;
        const { queries } = await insights.listSearches({ days, limit, withoutResults }, { context });
        return json({
          searches: queries.map((each) => ({
            query: each.query,
            count: each.searches,
            without_results: each.withoutResults,
          })),
        });
      },
    }),
    defineRoute({
      ...one,
      url: `${base}/plugins/:name`,
      summary: "Downloads of one plugin",
      query: z.object({
        days: integerParameter(1, 365, 30).describe("Of the series, today included"),
        version: textParameter(128, orEmpty(versionPattern)).describe("Whose series is told; default all together"),
      }),
      answers: { 200: { description: "In all, of each version, and day by day", schema: usageSchema } },
      handle: (call) => usage(parts, call),
    }),
    defineRoute({
      ...one,
      url: `${base}/plugins/:name/dependents`,
      summary: "Plugins that depend on this one",
      query: z.object({
        limit: integerParameter(1, 500, 50),
        cursor: textParameter(140, orEmpty(pluginNamePattern)),
        any_release: flagParameter().describe("Those as well of which an older release alone depends on it"),
      }),
      answers: { 200: { description: "By name; `next_cursor` is null on the last page", schema: dependentsSchema } },
      handle: (call) => dependents(parts, call),
    }),
  ];
}

type UsageQuery = { readonly days: number; readonly version?: string | undefined };

async function usage({ analytics, insights }: Parts, { params, query, context }: Call<UsageQuery>): Promise<Answer> {
  const plugin = pluginName(params.name);
  const { days, version = "" } = query;
  const [{ downloads, versions }, series] = await Promise.all([
    analytics.getPluginUsage({ plugin }, { context }),
    insights.getDownloadSeries({ plugin, version, days }, { context }),
  ]);
  return json({ plugin, downloads, versions, series: series.days.map(dayFields) });
}

function dayFields({ day, downloads, clients }: SeriesDay): object {
  return { date: timeText(day)?.slice(0, 10), downloads, clients };
}

type DependentsQuery = {
  readonly limit: number;
  readonly cursor?: string | undefined;
  readonly any_release?: boolean | undefined;
};

async function dependents(parts: Parts, { params, query, context }: Call<DependentsQuery>): Promise<Answer> {
  const name = pluginName(params.name);
  const page = { pageSize: query.limit, pageToken: query.cursor ?? "" };
  const request = { name, anyRelease: query.any_release ?? false, page };
  const answer = await parts.dependents.listDependents(request, { context });
  return json({
    dependents: answer.dependents.map(({ plugin, version, requirement, optional, latest }) => ({
      ...{ plugin_name: plugin, version, requirement, optional, latest },
    })),
    next_cursor: orNull(answer.nextPageToken),
  });
}
