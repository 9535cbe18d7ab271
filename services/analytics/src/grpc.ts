import { AnalyticsServiceDefinition } from "@registry/contracts/analytics";
import { defineService, readers, type ServiceTable, services } from "@registry/kit";
import type { Parts } from "./parts.ts";
import { getMetrics } from "./usecases/get-metrics.ts";
import { getPluginUsage } from "./usecases/get-plugin-usage.ts";
import { getPopular } from "./usecases/get-popular.ts";
import { recordUsage } from "./usecases/record-usage.ts";

export function analyticsTable(parts: Parts): ServiceTable {
  return defineService(AnalyticsServiceDefinition, {
    recordUsage: { allow: services("gateway"), handle: recordUsage(parts) },
    getPopular: { allow: readers, handle: getPopular(parts) },
    getPluginUsage: { allow: readers, handle: getPluginUsage(parts) },
    getMetrics: { allow: readers, handle: getMetrics(parts) },
  });
}
