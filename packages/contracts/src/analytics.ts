export * from "./gen/registry/analytics/v1/analytics_service.ts";
