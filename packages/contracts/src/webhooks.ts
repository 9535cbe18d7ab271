export * from "./gen/registry/analytics/v1/webhook_service.ts";
