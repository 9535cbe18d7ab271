import { randomBytes } from "node:crypto";
import { type MinioServer, type MongoServer, minio, missing, mongo, type NatsServer, nats } from "../servers/index.ts";
import type { StackKind } from "./plan.ts";

/** The real servers that a stack keeps its data on. */
export interface Stores {
  mongo: MongoServer;
  nats: NatsServer;
  minio: MinioServer;
}

/** Starts the three servers of a stack. NATS has fixed stream names, so that stacks cannot share it. */
export async function startStores(): Promise<Stores> {
  const [documents, bus, blobs] = await Promise.all([mongo(), nats(), minio()]);
  return { mongo: documents, nats: bus, minio: blobs };
}

/** The settings that point a process at the servers, with names of databases and of a bucket that are new each time. */
export function storeSettings(stores: Stores): Record<string, string> {
  const own = `t${randomBytes(4).toString("hex")}`;
  const documents = new URL(stores.mongo.url);
  documents.pathname = `/${own}`;
  return {
    MONGODB_URL: documents.href,
    NATS_URL: stores.nats.url,
    S3_ENDPOINT: stores.minio.endpoint,
    S3_BUCKET: own,
    S3_ACCESS_KEY: stores.minio.accessKey,
    S3_SECRET_KEY: stores.minio.secretKey,
    SECRET_KEY: randomBytes(32).toString("hex"),
  };
}

/** Why a stack of this kind cannot run here, for `describe.skipIf`. */
export function missingFor(kind: StackKind): string | undefined {
  return kind === "embedded" ? undefined : missing("mongo", "nats", "minio");
}
