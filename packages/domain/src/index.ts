export * from "./digests.ts";
export * from "./errors.ts";
export * from "./kinds.ts";
export * from "./names.ts";
export * from "./permissions.ts";
export * from "./states.ts";
export * from "./versions.ts";
