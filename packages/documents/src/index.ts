export type { Log } from "./log.ts";
export { observeDocuments } from "./observed.ts";
export { mongoDatabaseName, type OpenDocumentsOptions, openDocuments } from "./open.ts";
export * from "./port.ts";
export { openSqliteDocuments, type SqliteDocumentsOptions } from "./sqlite/open.ts";
