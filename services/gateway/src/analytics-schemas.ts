import { clientKinds } from "@registry/domain";
import { z } from "zod";

/** As `schemas.ts`, of what is used. */
const text = z.string();
const time = z.string().meta({ format: "date-time" });
const count = z.int().min(0);

export const popularSchema = z.array(z.object({ plugin_name: text, download_count: count })).meta({ id: "Popular" });

export const metricsSchema = z
  .object({
    total_plugins: count,
    total_downloads: count,
    total_searches: count,
    active_users: count,
    popular_plugins: popularSchema,
    recent_publishes: z.array(
      z.object({ plugin_name: text, version: text, published_at: time.nullable(), published_by: text }),
    ),
  })
  .meta({ id: "RegistryMetrics" });

const seriesDaySchema = z
  .object({
    date: z.string().meta({ format: "date" }),
    downloads: count,
    clients: z
      .partialRecord(z.enum(clientKinds), count)
      .describe("By kind of client; kinds without a download are left out"),
  })
  .meta({ id: "SeriesDay", description: "A day, UTC" });

export const usageSchema = z
  .object({
    plugin: text,
    downloads: count,
    versions: z.array(z.object({ version: text, downloads: count })),
    series: z.array(seriesDaySchema).describe("Oldest day first, today last, days without a download included"),
  })
  .meta({ id: "PluginUsage" });

export const trendingSchema = z
  .array(z.object({ plugin_name: text, download_count: count, previous_count: count, score: z.number() }))
  .meta({ id: "Trending" });

export const searchesSchema = z
  .object({ searches: z.array(z.object({ query: text, count, without_results: count })) })
  .meta({ id: "Searches" });

export const dependentsSchema = z
  .object({
    dependents: z.array(
      z.object({ plugin_name: text, version: text, requirement: text, optional: z.boolean(), latest: z.boolean() }),
    ),
    next_cursor: z.string().nullable(),
  })
  .meta({ id: "Dependents" });
