export * from "./gen/registry/auth/v1/federation_service.ts";
