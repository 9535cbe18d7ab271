export * from "./gen/registry/auth/v1/audit_service.ts";
