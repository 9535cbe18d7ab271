import { RegistryError, unavailable } from "@registry/domain";
import { type Db, MongoServerError } from "mongodb";
import type { Log } from "../log.ts";
import { checkCollectionSpec, indexConflict } from "../model/specs.ts";
import type { Collection, CollectionSpec, Document, Documents, IndexSpec } from "../port.ts";
import { indexTimeoutMs, type SharedClient, sharedClients } from "./clients.ts";
import { MongoDocumentCollection, type Target } from "./collection.ts";
import { within } from "./deadline.ts";
import { indexConflicts, translateError } from "./errors.ts";

export interface MongoDocumentsOptions {
  /** `mongodb://` or `mongodb+srv://`; what it sets wins over the adapter's own settings. */
  readonly url: string;
  readonly database: string;
  /** For one call with all its retries, in milliseconds; 5,000 unless given. */
  readonly timeoutMs?: number;
  /** What the server's log calls this client. */
  readonly appName?: string;
  readonly log?: Log;
}

function describe(index: IndexSpec) {
  const unique = index.unique === true;
  const key = new Map(index.keys.map(([path, order]) => [path, order]));
  return { name: index.name, key, ...(unique ? { unique, sparse: true } : {}) };
}

interface Opened {
  readonly collection: MongoDocumentCollection<Document>;
  readonly target: () => Promise<Target>;
}

class MongoDocuments implements Documents {
  readonly #db: Db;
  readonly #shared: SharedClient;
  readonly #timeoutMs: number;
  readonly #log: Log | undefined;
  readonly #opened = new Map<string, Opened>();
  #closing: Promise<void> | undefined;
  #away = false;

  constructor(shared: SharedClient, database: string, timeoutMs: number, log: Log | undefined) {
    this.#shared = shared;
    this.#db = shared.client.db(database);
    this.#timeoutMs = timeoutMs;
    this.#log = log;
  }

  async collection<T extends Document>(spec: CollectionSpec): Promise<Collection<T>> {
    checkCollectionSpec(spec);
    const key = JSON.stringify([spec.name, spec.indexes]);
    const opened = this.#opened.get(key) ?? this.#open(spec);
    this.#opened.set(key, opened);
    // Once is enough to wait for a store that is away.
    if (this.#away) return opened.collection as unknown as Collection<T>;
    try {
      await opened.target();
    } catch (error) {
      // A store that is late is no failure: the first call that reaches it makes the indexes.
      if (!(error instanceof RegistryError && error.kind === "unavailable")) throw error;
      this.#away = true;
      this.#log?.warn({ err: error, collection: spec.name }, "the document store is away; indexes will be made later");
    }
    return opened.collection as unknown as Collection<T>;
  }

  #open(spec: CollectionSpec): Opened {
    const prepared = retriedUntilDone(() => within(indexTimeoutMs, this.#prepare(spec)));
    const target = async (): Promise<Target> => {
      await this.#connect();
      return await prepared();
    };
    return { collection: new MongoDocumentCollection(spec, this.#timeoutMs, target), target };
  }

  /** A client that could not connect once does so only when it is told to. */
  async #connect(): Promise<void> {
    if (this.#closing !== undefined) throw unavailable("the document store");
    try {
      await this.#shared.client.connect();
      this.#away = false;
    } catch (error) {
      throw unavailable("the document store", error);
    }
  }

  async #prepare(spec: CollectionSpec): Promise<Target> {
    const target: Target = this.#db.collection(spec.name);
    if (spec.indexes.length === 0) return target;
    try {
      await target.createIndexes(spec.indexes.map(describe));
    } catch (error) {
      if (error instanceof MongoServerError && indexConflicts.has(Number(error.code))) {
        const name = spec.indexes.find((index) => error.message.includes(index.name))?.name ?? "?";
        throw indexConflict(spec.name, name, error);
      }
      throw translateError(error, spec, "insert");
    }
    return target;
  }

  async ping(): Promise<void> {
    await within(this.#timeoutMs, this.#probe());
  }

  async #probe(): Promise<void> {
    await this.#connect();
    try {
      const probe: Target = this.#db.collection("_ping");
      await probe.updateOne({ _id: "ping" }, { $inc: { count: 1 } }, { upsert: true });
    } catch (error) {
      throw translateError(error, { name: "_ping", indexes: [] }, "insert");
    }
    await Promise.all(Array.from(this.#opened.values(), ({ target }) => target()));
  }

  close(): Promise<void> {
    this.#closing ??= this.#shared.release();
    return this.#closing;
  }
}

/** One attempt at a time, shared by all who wait; a success is kept, a failure is not. */
function retriedUntilDone<R>(attempt: () => Promise<R>): () => Promise<R> {
  let running: Promise<R> | undefined;
  return () => {
    running ??= attempt().catch((error: unknown) => {
      running = undefined;
      throw error;
    });
    return running;
  };
}

/**
 * Opens one service's database on a server that speaks MongoDB's protocol. Never waits for the server longer than
 * one deadline, and does not fail where it is away: until it comes, calls fail with kind `unavailable`.
 * Clients are shared by all databases of one address in this process.
 * @throws RegistryError `INVALID_MONGODB_URL`
 */
export async function openMongoDocuments(options: MongoDocumentsOptions): Promise<Documents> {
  const { url, database, timeoutMs = 5_000, appName = "agenticraft-registry", log } = options;
  let shared: SharedClient;
  try {
    shared = sharedClients.acquire({ url, timeoutMs, appName });
  } catch (cause) {
    // The driver's text may hold the URL, and the URL a password.
    throw new RegistryError("invalid_argument", "INVALID_MONGODB_URL", "the MongoDB URL cannot be read", { cause });
  }
  return new MongoDocuments(shared, database, timeoutMs, log);
}
