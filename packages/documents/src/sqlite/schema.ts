import { RegistryError } from "@registry/domain";
import { parseSort, type SortKey } from "../model/order.ts";
import type { Sort } from "../port.ts";
import type { Database } from "./database.ts";

/**
 * The file's layout. A collection `name` is the table `c_name`: `rid` (order of insertion), `id` (index key of `_id`)
 * and `doc` (JSON). An index is a table `x_<number>` of its own, clustered by its key: columns `k0`, `k1`, …, then `u`
 * and `rid`, one row for each key tuple of a document. `u` is what makes rows distinct: the rid in plain indexes; in
 * unique ones 0, or the rid for documents that lack all of the index's fields.
 */
export const formatVersion = 1;
export const maxIndexes = 4096;

/** What both threads know of an index. Posted between them. */
export interface IndexInfo {
  readonly id: number;
  readonly name: string;
  readonly unique: boolean;
  readonly keys: readonly SortKey[];
}
export interface CollectionInfo {
  readonly name: string;
  readonly indexes: readonly IndexInfo[];
}

/**
 * For each index number a bit mask of the key positions where some document holds an array. Shared by both threads
 * and set before the write that makes it so is committed: a reader that goes by it never misses a document.
 */
export type Multikey = Int32Array<SharedArrayBuffer>;

export function newMultikey(): Multikey {
  return new Int32Array(new SharedArrayBuffer(maxIndexes * 4));
}

export function isMultikey(multikey: Multikey, index: IndexInfo, position: number): boolean {
  return (Atomics.load(multikey, index.id) & (1 << position)) !== 0;
}

export const collectionTable = (collection: string): string => `c_${collection}`;
export const indexTable = (index: IndexInfo): string => `x_${index.id}`;

/** Makes the file ready for its only writer. @throws RegistryError `DATA_FORMAT_TOO_NEW` */
export function initialise(db: Database): void {
  db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 67108864;");
  const version = Number(db.row("PRAGMA user_version")?.[0]);
  if (version > formatVersion) {
    throw new RegistryError(
      "unavailable",
      "DATA_FORMAT_TOO_NEW",
      `the data was written by a newer release (format ${version}, this one reads up to ${formatVersion})`,
    );
  }
  if (version === formatVersion) return;
  db.exec(`BEGIN IMMEDIATE;
    CREATE TABLE IF NOT EXISTS _indexes(id INTEGER PRIMARY KEY, collection TEXT NOT NULL, name TEXT NOT NULL,
      keys TEXT NOT NULL, is_unique INTEGER NOT NULL, multikey INTEGER NOT NULL, UNIQUE(collection, name));
    CREATE TABLE IF NOT EXISTS _ping(id INTEGER PRIMARY KEY, count INTEGER NOT NULL);
    INSERT INTO _ping VALUES (1, 0) ON CONFLICT DO NOTHING;
    PRAGMA user_version = ${formatVersion};
    COMMIT;`);
}

export function createCollectionTable(db: Database, collection: string): void {
  db.exec(`CREATE TABLE IF NOT EXISTS ${collectionTable(collection)}
    (rid INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, doc TEXT NOT NULL)`);
}

export function createIndexTable(db: Database, index: IndexInfo): void {
  const columns = index.keys.map((_, i) => `k${i} BLOB NOT NULL`).join(", ");
  const key = index.keys.map(({ order }, i) => `k${i} ${order === 1 ? "ASC" : "DESC"}`).join(", ");
  db.exec(`CREATE TABLE ${indexTable(index)}(${columns}, u INTEGER NOT NULL, rid INTEGER NOT NULL,
    PRIMARY KEY (${key}, u)) WITHOUT ROWID`);
}

/** The indexes of a collection as they are stored, in order of creation, and their masks put into `multikey`. */
export function loadIndexes(db: Database, collection: string, multikey: Multikey): IndexInfo[] {
  const rows = db.rows("SELECT id, name, keys, is_unique, multikey FROM _indexes WHERE collection = ? ORDER BY id", [
    collection,
  ]);
  return Array.from(rows, ([id, name, keys, unique, mask]) => {
    Atomics.or(multikey, Number(id), Number(mask));
    const sort = JSON.parse(String(keys)) as Sort;
    return { id: Number(id), name: String(name), unique: unique === 1, keys: parseSort(sort) };
  });
}
