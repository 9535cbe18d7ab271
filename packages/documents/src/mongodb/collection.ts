import { BSON, type Document as BsonDocument, MongoBulkWriteError, type Collection as MongoCollection } from "mongodb";
import { parseFilter } from "../model/filter.ts";
import { parseOptions } from "../model/options.ts";
import { parseSort } from "../model/order.ts";
import { checkReplacement, parseUpdate, upsertFields } from "../model/update.ts";
import { cleanDocument, documentTooLarge, maxDocumentBytes } from "../model/values.ts";
import type {
  Alteration,
  Collection,
  CollectionSpec,
  Document,
  Filter,
  FindOptions,
  Id,
  Update,
  UpdateResult,
} from "../port.ts";
import { within } from "./deadline.ts";
import { isDuplicateKey, type Purpose, translateError } from "./errors.ts";
import { toFilter, toProjection, toSort, toUpdate } from "./translate.ts";

type Stored = { _id: Id } & BsonDocument;
export type Target = MongoCollection<Stored>;
type UpdateOptions = NonNullable<Parameters<Collection<Document>["findOneAndUpdate"]>[2]>;

/** Two upserts of one key at once: the server may let one insert and fail the other, which then finds what to update. */
const upsertAttempts = 3;

function changeBy(filter: Filter, update: Update, upsert: boolean): { filter: BsonDocument; update: BsonDocument } {
  const parsed = parseFilter(filter);
  const steps = parseUpdate(update);
  if (upsert) upsertFields(parsed, steps);
  return { filter: toFilter(parsed), update: toUpdate(steps) };
}

function toStored(document: unknown): Stored {
  const clean = cleanDocument(document);
  if (BSON.calculateObjectSize(clean) > maxDocumentBytes) throw documentTooLarge();
  return clean;
}

interface UpdateModel {
  readonly updateOne: { readonly filter: BsonDocument; readonly update: BsonDocument; readonly upsert: boolean };
}

interface MongoUpdateResult {
  readonly matchedCount: number;
  readonly modifiedCount: number;
  readonly upsertedId: Id | null;
}

function resultOf({ matchedCount, modifiedCount, upsertedId }: MongoUpdateResult): UpdateResult {
  return upsertedId === null ? { matchedCount, modifiedCount } : { matchedCount, modifiedCount, upsertedId };
}

export class MongoDocumentCollection<T extends Document> implements Collection<T> {
  readonly name: string;
  readonly #spec: CollectionSpec;
  readonly #timeoutMs: number;
  readonly #target: () => Promise<Target>;

  /** @param target resolves once the collection's indexes are there */
  constructor(spec: CollectionSpec, timeoutMs: number, target: () => Promise<Target>) {
    this.name = spec.name;
    this.#spec = spec;
    this.#timeoutMs = timeoutMs;
    this.#target = target;
  }

  async #run<R>(purpose: Purpose, work: (target: Target) => Promise<R>, attempts = 1): Promise<R> {
    return await within(this.#timeoutMs, this.#attempt(purpose, work, attempts));
  }

  async #attempt<R>(purpose: Purpose, work: (target: Target) => Promise<R>, attempts: number): Promise<R> {
    const target = await this.#target();
    for (let attempt = 1; ; attempt++) {
      try {
        return await work(target);
      } catch (error) {
        if (attempt >= attempts || !isDuplicateKey(error)) throw translateError(error, this.#spec, purpose);
      }
    }
  }

  async insertOne(document: T): Promise<void> {
    const clean = toStored(document);
    await this.#run("insert", (target) => target.insertOne(clean));
  }

  async insertNew(documents: readonly T[]): Promise<readonly number[]> {
    const clean = documents.map((document) => toStored(document));
    if (clean.length === 0) return [];
    const failed = await this.#run("insert", async (target) => {
      try {
        await target.insertMany(clean, { ordered: false });
        return new Set<number>();
      } catch (error) {
        return collisions(error);
      }
    });
    return clean.flatMap((_, position) => (failed.has(position) ? [] : [position]));
  }

  async findOne(filter: Filter, options?: Omit<FindOptions, "limit">): Promise<T | null> {
    const [document] = await this.find(filter, { ...options, limit: 1 });
    return document ?? null;
  }

  async find(filter: Filter, options: FindOptions = {}): Promise<T[]> {
    const query = toFilter(parseFilter(filter));
    const { sort, skip, limit } = parseOptions(options);
    if (limit === 0) return [];
    const projection = toProjection(options.fields);
    const found = await this.#run("read", (target) => {
      const maxTimeMS = this.#timeoutMs;
      let cursor = target.find(query, projection === undefined ? { maxTimeMS } : { maxTimeMS, projection });
      if (sort.length > 0) cursor = cursor.sort(toSort(sort));
      if (skip > 0) cursor = cursor.skip(skip);
      if (Number.isFinite(limit)) cursor = cursor.limit(limit);
      return cursor.toArray();
    });
    // What is stored came in as T, or as an update that its service wrote.
    return found as unknown as T[];
  }

  async countDocuments(filter: Filter): Promise<number> {
    const query = toFilter(parseFilter(filter));
    return await this.#run("read", (target) => target.countDocuments(query, { maxTimeMS: this.#timeoutMs }));
  }

  async updateOne(filter: Filter, update: Update, options?: { readonly upsert?: boolean }): Promise<UpdateResult> {
    const upsert = options?.upsert ?? false;
    const change = changeBy(filter, update, upsert);
    const attempts = upsert ? upsertAttempts : 1;
    return resultOf(
      await this.#run("update", (target) => target.updateOne(change.filter, change.update, { upsert }), attempts),
    );
  }

  async updateMany(filter: Filter, update: Update): Promise<UpdateResult> {
    const change = changeBy(filter, update, false);
    return resultOf(await this.#run("update", (target) => target.updateMany(change.filter, change.update)));
  }

  async updateEach(changes: readonly Alteration[], options?: { readonly upsert?: boolean }): Promise<void> {
    const upsert = options?.upsert ?? false;
    const models = changes.map(({ filter, update }) => ({
      updateOne: { ...changeBy(filter, update, upsert), upsert },
    }));
    await within(this.#timeoutMs, this.#updateEach(models, upsert ? upsertAttempts : 1));
  }

  /** As `#attempt`, of those that have not been made. */
  async #updateEach(models: readonly UpdateModel[], attempts: number): Promise<void> {
    const target = await this.#target();
    let left = models;
    for (let attempt = 1; left.length > 0; attempt++) {
      try {
        await target.bulkWrite([...left], { ordered: false });
        return;
      } catch (error) {
        const met = attempt < attempts ? metIn(error) : undefined;
        if (met === undefined) throw translateError(causeOf(error), this.#spec, "update");
        left = left.filter((_, position) => met.has(position));
      }
    }
  }

  async findOneAndUpdate(filter: Filter, update: Update, options: UpdateOptions = {}): Promise<T | null> {
    const { upsert = false, returnDocument = "before", sort = [] } = options;
    const change = changeBy(filter, update, upsert);
    const keys = parseSort(sort);
    const settings = { upsert, returnDocument, ...(keys.length > 0 ? { sort: toSort(keys) } : {}) };
    const found = await this.#run(
      "update",
      (target) => target.findOneAndUpdate(change.filter, change.update, settings),
      upsert ? upsertAttempts : 1,
    );
    return found as unknown as T | null;
  }

  async replaceOne(filter: Filter, document: T, options?: { readonly upsert?: boolean }): Promise<UpdateResult> {
    const parsed = parseFilter(filter);
    const clean = toStored(document);
    checkReplacement(parsed, clean._id);
    const upsert = options?.upsert ?? false;
    const query = toFilter(parsed);
    const attempts = upsert ? upsertAttempts : 1;
    return resultOf(
      (await this.#run(
        "update",
        (target) => target.replaceOne(query, clean, { upsert }),
        attempts,
      )) as MongoUpdateResult,
    );
  }

  async deleteOne(filter: Filter): Promise<number> {
    const query = toFilter(parseFilter(filter));
    return (await this.#run("read", (target) => target.deleteOne(query))).deletedCount;
  }

  async deleteMany(filter: Filter): Promise<number> {
    const query = toFilter(parseFilter(filter));
    return (await this.#run("read", (target) => target.deleteMany(query))).deletedCount;
  }
}

/** The positions that a bulk insert left out, if collisions are all that went wrong. */
function collisions(error: unknown): ReadonlySet<number> {
  const met = metIn(error);
  if (met === undefined) throw causeOf(error);
  return met;
}

/** The driver wraps what befell the connection in the error of bulk writes, in which nobody would look for it. */
function causeOf(error: unknown): unknown {
  return error instanceof MongoBulkWriteError && error.errorResponse instanceof Error ? error.errorResponse : error;
}

/** The positions of a bulk write that met what was there already; undefined if anything else went wrong. */
function metIn(error: unknown): ReadonlySet<number> | undefined {
  if (!(error instanceof MongoBulkWriteError)) return undefined;
  const errors = Array.isArray(error.writeErrors) ? error.writeErrors : [error.writeErrors];
  // Then it says nothing of any document: the way to the server broke, or the server refused the whole.
  if (errors.length === 0) return undefined;
  const other = errors.find(({ code }) => code !== 11000);
  if (other !== undefined || error.result.getWriteConcernError() !== undefined) return undefined;
  return new Set(errors.map(({ index }) => index));
}
