export { Member, Organisation, Team } from "./gen/registry/auth/v1/organisation.ts";
export * from "./gen/registry/auth/v1/organisation_service.ts";
