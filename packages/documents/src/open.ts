import { join } from "node:path";
import { invalid, quote } from "@registry/domain";
import type { Log } from "./log.ts";
import type { Documents } from "./port.ts";
import { openSqliteDocuments } from "./sqlite/open.ts";

export interface OpenDocumentsOptions {
  /** Where set, metadata lives there, in the database `<path of the URL, or agenticraft>_<service>`. */
  readonly mongodbUrl?: string | undefined;
  /** Folder of the embedded database `<service>.db`, used where there is no URL. */
  readonly dataDir: string;
  /** `[a-z][a-z0-9_]*` */
  readonly service: string;
  readonly timeoutMs?: number | undefined;
  readonly log?: Log | undefined;
}

const defaultPrefix = "agenticraft";

/** The database of a service at a MongoDB URL. Hosts may be several, which the platform's URL does not read. */
export function mongoDatabaseName(url: string, service: string): string {
  const path = /^mongodb(?:\+srv)?:\/\/[^/?]*\/([^?]*)/.exec(url)?.[1] ?? "";
  return `${path === "" ? defaultPrefix : decodeURIComponent(path)}_${service}`;
}

/**
 * Opens a service's own database, embedded or on a server as configured.
 * @throws RegistryError as `openSqliteDocuments` and `openMongoDocuments` do
 */
export async function openDocuments(options: OpenDocumentsOptions): Promise<Documents> {
  const { mongodbUrl, dataDir, service, timeoutMs, log } = options;
  if (!/^[a-z][a-z0-9_]{0,29}$/.test(service)) {
    throw invalid("INVALID_SERVICE", `the service name ${quote(service)} must be 1 to 30 of a-z, 0-9 and _`);
  }
  const common = { ...(timeoutMs === undefined ? {} : { timeoutMs }), ...(log === undefined ? {} : { log }) };
  if (mongodbUrl === undefined) return await openSqliteDocuments({ path: join(dataDir, `${service}.db`), ...common });
  // Loading the driver costs as much as all else at start, so only those who use it pay.
  const { openMongoDocuments } = await import("./mongodb/open.ts");
  const appName = `agenticraft-registry ${service}`;
  return await openMongoDocuments({
    url: mongodbUrl,
    database: mongoDatabaseName(mongodbUrl, service),
    appName,
    ...common,
  });
}
