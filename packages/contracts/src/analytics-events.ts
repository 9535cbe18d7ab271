export * from "./gen/registry/analytics/v1/event_service.ts";
