export * from "./gen/registry/analytics/v1/analytics_service.ts";
export { InsightsServiceDefinition, SeriesDay, TrendingPlugin } from "./gen/registry/analytics/v1/insights_service.ts";
