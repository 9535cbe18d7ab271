import { AnalyticsServiceDefinition, InsightsServiceDefinition } from "@registry/contracts/analytics";
import { admins, defineService, readers, type ServiceTable, services } from "@registry/kit";
import type { Parts } from "./parts.ts";
import { getDownloadSeries } from "./usecases/get-download-series.ts";
import { getMetrics } from "./usecases/get-metrics.ts";
import { getPluginUsage } from "./usecases/get-plugin-usage.ts";
import { getPopular } from "./usecases/get-popular.ts";
import { getTrending } from "./usecases/get-trending.ts";
import { listSearches } from "./usecases/list-searches.ts";
import { recordUsage } from "./usecases/record-usage.ts";

export function analyticsTable(parts: Parts): ServiceTable {
  return defineService(AnalyticsServiceDefinition, {
    recordUsage: { allow: services("gateway"), handle: recordUsage(parts) },
    getPopular: { allow: readers, handle: getPopular(parts) },
    getPluginUsage: { allow: readers, handle: getPluginUsage(parts) },
    getMetrics: { allow: readers, handle: getMetrics(parts) },
  });
}

export function insightsTable(parts: Parts): ServiceTable {
  return defineService(InsightsServiceDefinition, {
    getDownloadSeries: { allow: readers, handle: getDownloadSeries(parts) },
    getTrending: { allow: readers, handle: getTrending(parts) },
    listSearches: { allow: admins, handle: listSearches(parts) },
  });
}
