/**
 * The port for metadata: the part of MongoDB's collection API that the registry uses, under the same names and
 * with the same meaning. Filters and updates are closed, typed lists of operators, so that what an adapter does
 * not implement does not compile.
 *
 * Guarantees that every adapter gives, and that the conformance suite checks:
 * - a single-document write is atomic and durable once its promise resolves (it survives `kill -9` and power loss);
 * - a read that starts after a write resolved sees it (read your writes, also from another client of the store);
 * - a filter with a path into an array matches if any element matches, as in MongoDB; `null` matches null and missing;
 * - values are JSON-like: string, finite number (integers up to 2^53-1), boolean, null, Date (milliseconds), arrays and
 *   plain objects. `undefined` fields are dropped. Keys never start with `$` nor contain a dot or NUL;
 * - a unique index is sparse by intent: documents that lack all of its fields do not collide;
 * - every call is bounded in time (`timeoutMs` of the adapter) and fails with kind `unavailable` when the store is away;
 * - a violated unique index fails with `DuplicateKeyError` that names the index.
 */
export type Scalar = string | number | boolean | null | Date;
export type Value = Scalar | readonly Value[] | { readonly [key: string]: Value | undefined };
export type Id = string | number;
export interface Document {
  _id: Id;
}

export interface Condition {
  readonly $eq?: Scalar;
  readonly $ne?: Scalar;
  readonly $in?: readonly Scalar[];
  readonly $nin?: readonly Scalar[];
  readonly $gt?: Exclude<Scalar, null | boolean>;
  readonly $gte?: Exclude<Scalar, null | boolean>;
  readonly $lt?: Exclude<Scalar, null | boolean>;
  readonly $lte?: Exclude<Scalar, null | boolean>;
  readonly $exists?: boolean;
  /** One array element that fulfils all of it. */
  readonly $elemMatch?: FieldFilter & NoOperators;
}
/**
 * Dotted paths to a value or to conditions that must all hold. A field or operator that is there but undefined is
 * refused (`INVALID_FILTER`): a filter whose id went missing must not match everything.
 */
export type FieldFilter = { readonly [path: string]: Scalar | Condition | undefined };
/** Names that a compiler would take for paths. What is not on this list, all adapters refuse at run time. */
type NoOperators = {
  readonly [operator in
    | keyof Condition
    | "$where"
    | "$expr"
    | "$jsonSchema"
    | "$text"
    | "$comment"
    | "$nor"
    | "$not"
    | "$regex"
    | "$type"
    | "$size"
    | "$all"]?: undefined;
};
export type Filter =
  | (FieldFilter & NoOperators & { readonly $and?: undefined; readonly $or?: undefined })
  | LogicalFilter;
export interface LogicalFilter {
  readonly $and?: readonly Filter[];
  readonly $or?: readonly Filter[];
}

export interface Update {
  readonly $set?: { readonly [path: string]: Value };
  readonly $setOnInsert?: { readonly [path: string]: Value };
  readonly $unset?: { readonly [path: string]: true };
  readonly $inc?: { readonly [path: string]: number };
  readonly $max?: { readonly [path: string]: number | Date };
  readonly $min?: { readonly [path: string]: number | Date };
  readonly $push?: { readonly [path: string]: Value | { readonly $each: readonly Value[] } };
  readonly $addToSet?: { readonly [path: string]: Value };
  /** Removes the elements that equal the scalar or fulfil the filter. */
  readonly $pull?: { readonly [path: string]: Scalar | FieldFilter };
}

export type SortOrder = 1 | -1;
/** In order of precedence. Missing sorts as null, null before numbers before strings before booleans before dates. */
export type Sort = readonly (readonly [path: string, order: SortOrder])[];

export interface FindOptions {
  readonly sort?: Sort;
  readonly skip?: number;
  /** At most this many; absent means all, which only bounded collections may ask for. */
  readonly limit?: number;
  /** Top-level or dotted fields to return beside `_id`; absent means all. */
  readonly fields?: readonly string[];
}

export interface IndexSpec {
  /** Stable name, `[a-z0-9_]+`, unique within its collection; it is what `DuplicateKeyError` reports. */
  readonly name: string;
  /** Paths in order. At most one of them may lead into an array. */
  readonly keys: Sort;
  readonly unique?: boolean;
}

export interface CollectionSpec {
  /** `[a-z][a-z0-9_]*`, unique within its service's database. */
  readonly name: string;
  /** Beside the one on `_id`. Created if absent when the collection is opened; never dropped. */
  readonly indexes: readonly IndexSpec[];
}

/** One of several changes, each of one document. */
export interface Alteration {
  readonly filter: Filter;
  readonly update: Update;
}

export interface UpdateResult {
  readonly matchedCount: number;
  readonly modifiedCount: number;
  /** Set if `upsert` inserted. */
  readonly upsertedId?: Id;
}

export interface Collection<T extends Document> {
  readonly name: string;
  /** @throws DuplicateKeyError */
  insertOne(document: T): Promise<void>;
  /**
   * Inserts what is new and skips what collides with a unique index (`ordered: false`).
   * @returns the positions in `documents` that were inserted, ascending
   */
  insertNew(documents: readonly T[]): Promise<readonly number[]>;
  findOne(filter: Filter, options?: Omit<FindOptions, "limit">): Promise<T | null>;
  find(filter: Filter, options?: FindOptions): Promise<T[]>;
  countDocuments(filter: Filter): Promise<number>;
  /** Changes the first match, atomically with its check. @throws DuplicateKeyError */
  updateOne(filter: Filter, update: Update, options?: { readonly upsert?: boolean }): Promise<UpdateResult>;
  updateMany(filter: Filter, update: Update): Promise<UpdateResult>;
  /**
   * Each as `updateOne` by itself, all in one call to the store, in no order that is promised. Where one fails the call
   * fails, and any of the others may have been made.
   * @throws DuplicateKeyError
   */
  updateEach(changes: readonly Alteration[], options?: { readonly upsert?: boolean }): Promise<void>;
  /** As `updateOne`, and answers the document as it is afterwards (or was before); null where nothing matched. */
  findOneAndUpdate(
    filter: Filter,
    update: Update,
    options?: { readonly upsert?: boolean; readonly sort?: Sort; readonly returnDocument?: "before" | "after" },
  ): Promise<T | null>;
  /** Replaces the first match whole, keeping `_id`. @throws DuplicateKeyError */
  replaceOne(filter: Filter, document: T, options?: { readonly upsert?: boolean }): Promise<UpdateResult>;
  deleteOne(filter: Filter): Promise<number>;
  deleteMany(filter: Filter): Promise<number>;
}

/** One service's database. */
export interface Documents {
  /** Opens a collection and makes sure of its indexes; the same name twice gives the same collection. */
  collection<T extends Document>(spec: CollectionSpec): Promise<Collection<T>>;
  /** Resolves if the store answers and can write; fails with kind `unavailable` otherwise. */
  ping(): Promise<void>;
  /** Waits for writes under way, then frees everything. Idempotent. */
  close(): Promise<void>;
}

export class DuplicateKeyError extends Error {
  override readonly name = "DuplicateKeyError";
  readonly collection: string;
  /** The name that the index's spec gives it, `_id_` for `_id`. */
  readonly index: string;
  constructor(collection: string, index: string) {
    super(`a document with this key exists already (collection ${collection}, index ${index})`);
    this.collection = collection;
    this.index = index;
  }
}
