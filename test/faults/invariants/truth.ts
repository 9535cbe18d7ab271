import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { openBlobs } from "@registry/blobs";
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

/** A release of which a consumer was told that it is published. */
export interface Noted {
  readonly plugin: string;
  readonly version: string;
  /** False where it was told, too, that it is hidden or deleted. */
  readonly shown: boolean;
}

export interface StoredDeadLetter {
  readonly group: string;
  readonly eventId: string;
  readonly cause: string;
}

export interface StoredObject {
  readonly key: string;
  readonly modifiedAt: Date;
}

/** The stores, read past the services. */
export interface Truth {
  releases(): Promise<StoredRelease[]>;
  plugins(): Promise<StoredPlugin[]>;
  /** Documents with events that the bus has not taken, of every service; each by `database.collection/_id`. */
  pending(): Promise<string[]>;
  /** What analytics has noted. */
  noted(): Promise<Noted[]>;
  /** Downloads by `name@version`, as analytics keeps them. */
  counted(): Promise<ReadonlyMap<string, number>>;
  /** Those that nobody has settled or dropped. */
  deadLetters(): Promise<StoredDeadLetter[]>;
  /** Undefined where the blob store is not known. */
  objects(prefix: string): Promise<StoredObject[] | undefined>;
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
  const analytics = client.db(`${prefix}_analytics`);
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
    noted: async () => (await analytics.collection<NotedDocument>("publishes").find().toArray()).map(toNoted),
    counted: async () =>
      toCounts(await analytics.collection<CountDocument>("rollups").find({ level: "version" }).toArray()),
    deadLetters: () => analytics.collection<StoredDeadLetter>("dead_letters").find({ open: true }).toArray(),
    objects: async (prefixOfKeys) => (blobs === undefined ? undefined : Array.fromAsync(blobs.list(prefixOfKeys))),
    async close() {
      await blobs?.close();
      await client.close();
    },
  };
}

interface NotedDocument extends Omit<Noted, "shown"> {
  readonly publishedAt?: unknown;
}

interface CountDocument {
  readonly level: string;
  readonly plugin: string;
  readonly version: string;
  readonly count: number;
}

const toNoted = ({ plugin, version, publishedAt }: NotedDocument): Noted => ({
  plugin,
  version,
  shown: publishedAt !== undefined,
});

const toCounts = (documents: readonly CountDocument[]): ReadonlyMap<string, number> =>
  new Map(documents.map(({ plugin, version, count }) => [`${plugin}@${version}`, count]));

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
  const all = <T = { readonly _id: string }>(service: string, table: string): T[] =>
    database(service)
      .prepare(`SELECT doc FROM ${table}`)
      .all()
      .map(({ doc }) => JSON.parse(String(doc)) as T);
  return {
    releases: async () => all<StoredRelease>("catalog", "c_releases"),
    plugins: async () => all<StoredPlugin>("catalog", "c_plugins"),
    noted: async () => all<NotedDocument>("analytics", "c_publishes").map(toNoted),
    counted: async () =>
      toCounts(all<CountDocument>("analytics", "c_rollups").filter(({ level }) => level === "version")),
    deadLetters: async () =>
      all<StoredDeadLetter & { open?: true }>("analytics", "c_dead_letters").filter(({ open }) => open === true),
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
    objects: async (prefix) => filesBelow(join(dataDir, "blobs"), "").filter(({ key }) => key.startsWith(prefix)),
    async close() {
      for (const each of opened.values()) each.close();
    },
  };
}

function filesBelow(root: string, folder: string): StoredObject[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    if (entry.name.startsWith(".")) return [];
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) return filesBelow(root, path);
    const modifiedAt = statSync(join(root, path), { throwIfNoEntry: false })?.mtime;
    return modifiedAt === undefined ? [] : [{ key: path, modifiedAt }];
  });
}
