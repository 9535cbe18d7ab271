import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type Blobs, openBlobs } from "@registry/blobs";
import { MongoClient } from "mongodb";

/** What the checker reads of a release document. */
export interface StoredRelease {
  readonly _id: string;
  readonly plugin: string;
  readonly version: string;
  readonly state: string;
  readonly sha256: string;
  readonly downloads: number;
}

export interface StoredPlugin {
  readonly _id: string;
  readonly visibility: string;
  readonly latest: string;
  readonly listed: number;
  readonly downloads: number;
  readonly pins: Readonly<Record<string, { readonly version: string }>>;
}

/** The stores, read past the services. */
export interface Truth {
  releases(): Promise<StoredRelease[]>;
  plugins(): Promise<StoredPlugin[]>;
  /** Documents with events that the bus has not taken, of every service; each by `database.collection/_id`. */
  pending(): Promise<string[]>;
  /** Undefined where the blob store is not known. */
  blobKeys(prefix: string): Promise<string[] | undefined>;
  close(): Promise<void>;
}

export interface S3Address {
  readonly endpoint: string;
  readonly bucket: string;
  readonly accessKey: string;
  readonly secretKey: string;
}

/** @param url as in `MONGODB_URL`: its path is the prefix of the databases */
export async function mongoTruth(url: string, s3: S3Address | undefined): Promise<Truth> {
  const client = new MongoClient(url, { serverSelectionTimeoutMS: 10_000, socketTimeoutMS: 30_000 });
  await client.connect();
  const prefix = decodeURIComponent(new URL(url).pathname.slice(1)) || "agenticraft";
  const blobs = s3 === undefined ? undefined : await openBlobs({ dataDir: "", s3 });
  const catalog = client.db(`${prefix}_catalog`);
  return {
    releases: () => catalog.collection<StoredRelease>("releases").find().toArray(),
    plugins: () => catalog.collection<StoredPlugin>("plugins").find().toArray(),
    async pending() {
      const found: string[] = [];
      for (const service of ["auth", "catalog", "storage", "analytics"]) {
        const database = client.db(`${prefix}_${service}`);
        for (const { name } of await database.listCollections({}, { nameOnly: true }).toArray()) {
          const some = database
            .collection(name)
            .find({ "outbox.pending.id": { $gt: "" } })
            .limit(20);
          for await (const { _id } of some) found.push(`${service}.${name}/${_id}`);
        }
      }
      return found;
    },
    blobKeys: async (prefixOfKeys) => (blobs === undefined ? undefined : keysOf(blobs, prefixOfKeys)),
    async close() {
      await blobs?.close();
      await client.close();
    },
  };
}

async function keysOf(blobs: Blobs, prefix: string): Promise<string[]> {
  return (await Array.fromAsync(blobs.list(prefix))).map(({ key }) => key);
}

/** @param dataDir of a registry with embedded stores, which may be running */
export function embeddedTruth(dataDir: string): Truth {
  const opened = new Map<string, DatabaseSync>();
  const database = (service: string): DatabaseSync => {
    const known = opened.get(service);
    if (known !== undefined) return known;
    const made = new DatabaseSync(join(dataDir, `${service}.db`), { readOnly: true, timeout: 10_000 });
    opened.set(service, made);
    return made;
  };
  const all = (service: string, table: string): { readonly _id: string }[] =>
    database(service)
      .prepare(`SELECT doc FROM ${table}`)
      .all()
      .map(({ doc }) => JSON.parse(String(doc)) as { _id: string });
  return {
    releases: async () => all("catalog", "c_releases") as StoredRelease[],
    plugins: async () => all("catalog", "c_plugins") as StoredPlugin[],
    async pending() {
      const found: string[] = [];
      for (const service of ["auth", "catalog", "storage", "analytics"]) {
        const tables = database(service)
          .prepare("SELECT name FROM sqlite_master WHERE name LIKE 'c\\_%' ESCAPE '\\'")
          .all();
        for (const { name } of tables) {
          const waiting = (doc: object): boolean =>
            "outbox" in doc && ((doc.outbox as { pending?: unknown[] }).pending?.length ?? 0) > 0;
          for (const doc of all(service, String(name)).filter(waiting)) found.push(`${service}.${name}/${doc._id}`);
        }
      }
      return found;
    },
    blobKeys: async (prefix) => filesBelow(join(dataDir, "blobs"), "").filter((key) => key.startsWith(prefix)),
    async close() {
      for (const each of opened.values()) each.close();
    },
  };
}

function filesBelow(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    if (entry.name.startsWith(".")) return [];
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    return entry.isDirectory() ? filesBelow(root, path) : [path];
  });
}
