export { type ClientOptions, MongoClients, type SharedClient } from "./clients.ts";
export { type MongoDocumentsOptions, openMongoDocuments } from "./open.ts";
