export * from "./gen/registry/auth/v1/auth_service.ts";
export { ApiToken, User, UserMembership } from "./gen/registry/auth/v1/user.ts";
