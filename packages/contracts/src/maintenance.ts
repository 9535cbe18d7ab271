export * from "./gen/registry/catalog/v1/maintenance_service.ts";
