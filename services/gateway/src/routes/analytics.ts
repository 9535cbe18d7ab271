import type { PopularPlugin } from "@registry/contracts/analytics";
import { z } from "zod";
import { integerParameter, pluginName } from "../input.ts";
import type { Parts } from "../parts.ts";
import { defineRoute, json, type Route } from "../route.ts";
import { metricsSchema, popularSchema, usageSchema } from "../schemas.ts";
import { timeText } from "../words.ts";

function popularFields({ plugin, downloadCount }: PopularPlugin): object {
  return { plugin_name: plugin, download_count: downloadCount };
}

/** What is used. */
export function analyticsRoutes({ analytics, catalog }: Parts): Route[] {
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
      url: `${base}/plugins/:name`,
      summary: "Downloads of one plugin",
      answers: { 200: { description: "In all, and of each version", schema: usageSchema } },
      async handle({ params, context }) {
        const plugin = pluginName(params.name);
        // The catalog says whether this caller may know of the plugin; analytics only knows its name.
        await catalog.getPlugin({ name: plugin, version: "" }, { context });
        const { downloads, versions } = await analytics.getPluginUsage({ plugin }, { context });
        return json({ plugin, downloads, versions });
      },
    }),
  ];
}
