export * from "./gen/registry/analytics/v1/change_service.ts";
