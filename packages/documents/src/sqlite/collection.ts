import { RegistryError, unavailable } from "@registry/domain";
import { decode, encodeDocument } from "../model/codec.ts";
import { parseFilter } from "../model/filter.ts";
import { type ParsedOptions, parseOptions } from "../model/options.ts";
import { parseSort } from "../model/order.ts";
import { project } from "../model/project.ts";
import { checkReplacement, parseUpdate, upsertFields } from "../model/update.ts";
import { cleanDocument, type PlainObject } from "../model/values.ts";
import type { Alteration, Collection, Document, Filter, FindOptions, Sort, Update, UpdateResult } from "../port.ts";
import type { Database } from "./database.ts";
import type { Change, Changed } from "./operations.ts";
import { count, select } from "./read.ts";
import type { CollectionInfo, Multikey } from "./schema.ts";
import type { WriteQueue } from "./write-queue.ts";

type UpdateOptions = NonNullable<Parameters<Collection<Document>["findOneAndUpdate"]>[2]>;

/** What the collections of one file share. */
export interface Store {
  readonly reader: Database;
  readonly queue: WriteQueue;
  readonly multikey: Multikey;
  /** @throws RegistryError kind `unavailable` once the store is closed */
  ensureOpen(): void;
}

function shape(document: PlainObject, { projection }: ParsedOptions): PlainObject {
  return projection === undefined ? document : project(document, projection);
}

function resultOf({ matchedCount, modifiedCount, upsertedId }: Changed): UpdateResult {
  return upsertedId === undefined ? { matchedCount, modifiedCount } : { matchedCount, modifiedCount, upsertedId };
}

function changeBy(filter: Filter, update: Update, upsert: boolean, sort: Sort = []) {
  const parsed = parseFilter(filter);
  const steps = parseUpdate(update);
  const change: Change = {
    content: { steps },
    many: false,
    sort: parseSort(sort),
    told: false,
    upsert: upsert ? upsertFields(parsed, steps) : undefined,
  };
  return { parsed, change };
}

/** Reads on the caller's thread, writes on the writer's. */
export class SqliteCollection<T extends Document> implements Collection<T> {
  readonly name: string;
  readonly #store: Store;
  #info: CollectionInfo;

  constructor(store: Store, info: CollectionInfo) {
    this.name = info.name;
    this.#store = store;
    this.#info = info;
  }

  /** Another opener of the same collection may have added indexes. */
  refresh(info: CollectionInfo): void {
    this.#info = info;
  }

  #read<R>(work: (db: Database) => R): R {
    this.#store.ensureOpen();
    try {
      return work(this.#store.reader);
    } catch (error) {
      throw error instanceof RegistryError ? error : unavailable("the document store", error);
    }
  }

  async insertOne(document: T): Promise<void> {
    const text = encodeDocument(cleanDocument(document));
    await this.#store.queue.submit({ kind: "insert", collection: this.name, text });
  }

  async insertNew(documents: readonly T[]): Promise<readonly number[]> {
    const texts = documents.map((document) => encodeDocument(cleanDocument(document)));
    if (texts.length === 0) return [];
    return await this.#store.queue.submit({ kind: "insertNew", collection: this.name, texts });
  }

  async findOne(filter: Filter, options?: Omit<FindOptions, "limit">): Promise<T | null> {
    const [document] = await this.find(filter, { ...options, limit: 1 });
    return document ?? null;
  }

  async find(filter: Filter, options?: FindOptions): Promise<T[]> {
    const expr = parseFilter(filter);
    const parsed = parseOptions(options);
    const rows = this.#read((db) => select(db, this.#info, this.#store.multikey, expr, parsed));
    // What is stored came in as T, or as an update that its service wrote.
    return rows.map(({ document }) => shape(document, parsed) as unknown as T);
  }

  async countDocuments(filter: Filter): Promise<number> {
    const expr = parseFilter(filter);
    return this.#read((db) => count(db, this.#info, this.#store.multikey, expr));
  }

  async updateOne(filter: Filter, update: Update, options?: { readonly upsert?: boolean }): Promise<UpdateResult> {
    const { parsed, change } = changeBy(filter, update, options?.upsert ?? false);
    return resultOf(await this.#change(parsed, change));
  }

  async updateMany(filter: Filter, update: Update): Promise<UpdateResult> {
    const { parsed, change } = changeBy(filter, update, false);
    return resultOf(await this.#change(parsed, { ...change, many: true }));
  }

  async updateEach(changes: readonly Alteration[], options?: { readonly upsert?: boolean }): Promise<void> {
    const each = changes.map(({ filter, update }) => {
      const { parsed, change } = changeBy(filter, update, options?.upsert ?? false);
      return { filter: parsed, change };
    });
    if (each.length === 0) return;
    await this.#store.queue.submit({ kind: "updateEach", collection: this.name, changes: each });
  }

  async findOneAndUpdate(filter: Filter, update: Update, options: UpdateOptions = {}): Promise<T | null> {
    const { parsed, change } = changeBy(filter, update, options.upsert ?? false, options.sort);
    const { before, after } = await this.#change(parsed, { ...change, told: true });
    const text = options.returnDocument === "after" ? after : before;
    return text === undefined ? null : (decode(text) as unknown as T);
  }

  async replaceOne(filter: Filter, document: T, options?: { readonly upsert?: boolean }): Promise<UpdateResult> {
    const clean = cleanDocument(document);
    const parsed = parseFilter(filter);
    checkReplacement(parsed, clean._id);
    const content = { replacement: encodeDocument(clean) };
    const upsert = options?.upsert === true ? new Map() : undefined;
    return resultOf(await this.#change(parsed, { content, many: false, sort: [], told: false, upsert }));
  }

  #change(filter: ReturnType<typeof parseFilter>, change: Change): Promise<Changed> {
    return this.#store.queue.submit({ kind: "update", collection: this.name, filter, change });
  }

  async deleteOne(filter: Filter): Promise<number> {
    return await this.#delete(filter, false);
  }

  async deleteMany(filter: Filter): Promise<number> {
    return await this.#delete(filter, true);
  }

  #delete(filter: Filter, many: boolean): Promise<number> {
    const parsed = parseFilter(filter);
    return this.#store.queue.submit({ kind: "delete", collection: this.name, filter: parsed, many });
  }
}
