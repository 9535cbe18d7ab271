import { RegistryError } from "@registry/domain";
import { decode } from "../model/codec.ts";
import { indexConflict } from "../model/specs.ts";
import { type CollectionSpec, DuplicateKeyError, type IndexSpec } from "../port.ts";
import type { Database } from "./database.ts";
import { IndexWriter } from "./index-writer.ts";
import type { Failure, Operation, Outcome, Results } from "./operations.ts";
import {
  type CollectionInfo,
  collectionTable,
  createCollectionTable,
  createIndexTable,
  type IndexInfo,
  loadIndexes,
  type Multikey,
  maxIndexes,
} from "./schema.ts";
import { Table } from "./table.ts";

export function failureOf(error: unknown): Failure {
  if (error instanceof DuplicateKeyError)
    return { type: "duplicate", collection: error.collection, index: error.index };
  if (error instanceof RegistryError) {
    return { type: "registry", kind: error.kind, reason: error.reason, message: error.message };
  }
  return { type: "store", message: error instanceof Error ? error.message : String(error) };
}

/** The only one who writes to the file. Not for the event loop's thread: each batch waits for the disk. */
export class Writer {
  readonly #db: Database;
  readonly #multikey: Multikey;
  readonly #tables = new Map<string, Table>();

  constructor(db: Database, multikey: Multikey) {
    this.#db = db;
    this.#multikey = multikey;
  }

  /**
   * Executes operations in order in one transaction, hence with one sync of the disk for all of them. One that fails
   * is undone alone. The outcomes are to be told only after this returned, when they are durable.
   */
  execute(batch: readonly Operation[]): Outcome[] {
    try {
      this.#db.run("BEGIN IMMEDIATE");
      const outcomes = batch.map((operation) => this.#attempt(operation));
      this.#db.run("COMMIT");
      return outcomes;
    } catch (error) {
      if (this.#db.inTransaction) this.#db.run("ROLLBACK");
      this.#tables.clear();
      return batch.map(() => ({ failure: failureOf(error) }));
    }
  }

  #attempt(operation: Operation): Outcome {
    try {
      return { value: this.#savepoint(() => this.#run(operation)) };
    } catch (error) {
      // SQLite ends the whole transaction on errors of the disk: then the neighbours' work is gone too.
      if (!this.#db.inTransaction) throw error;
      return { failure: failureOf(error) };
    }
  }

  #savepoint<R>(work: () => R): R {
    this.#db.run("SAVEPOINT operation");
    try {
      const result = work();
      this.#db.run("RELEASE operation");
      return result;
    } catch (error) {
      if (this.#db.inTransaction) {
        this.#db.run("ROLLBACK TO operation");
        this.#db.run("RELEASE operation");
      }
      for (const table of this.#tables.values()) table.reload();
      throw error;
    }
  }

  #run(operation: Operation): Results[keyof Results] {
    switch (operation.kind) {
      case "open":
        return this.#open(operation.spec);
      case "ping":
        return this.#db.run("UPDATE _ping SET count = count + 1");
      case "insert":
        this.#table(operation.collection).insert(operation.text, decode(operation.text));
        return 1;
      case "insertNew":
        return this.#insertNew(this.#table(operation.collection), operation.texts);
      case "update":
        return this.#table(operation.collection).update(operation.filter, operation.change);
      case "updateEach": {
        const table = this.#table(operation.collection);
        for (const { filter, change } of operation.changes) table.update(filter, change);
        return operation.changes.length;
      }
      default:
        return this.#table(operation.collection).delete(operation.filter, operation.many);
    }
  }

  #insertNew(table: Table, texts: readonly string[]): number[] {
    return texts.flatMap((text, position) => {
      const insert = (): void => table.insert(text, decode(text));
      try {
        if (table.insertsWhole) insert();
        else this.#savepoint(insert);
        return [position];
      } catch (error) {
        if (error instanceof DuplicateKeyError) return [];
        throw error;
      }
    });
  }

  #table(collection: string): Table {
    let table = this.#tables.get(collection);
    if (table === undefined) {
      const indexes = loadIndexes(this.#db, collection, this.#multikey);
      table = new Table(this.#db, { name: collection, indexes }, this.#multikey);
      this.#tables.set(collection, table);
    }
    return table;
  }

  #open(spec: CollectionSpec): CollectionInfo {
    this.#tables.delete(spec.name);
    createCollectionTable(this.#db, spec.name);
    const existing = loadIndexes(this.#db, spec.name, this.#multikey);
    for (const index of spec.indexes) {
      const other = existing.find(({ name }) => name === index.name);
      if (other === undefined) this.#build(spec.name, index);
      else if (!sameIndex(other, index)) throw indexConflict(spec.name, index.name);
    }
    return { name: spec.name, indexes: loadIndexes(this.#db, spec.name, this.#multikey) };
  }

  #build(collection: string, spec: IndexSpec): void {
    const id = this.#db.insert(
      "INSERT INTO _indexes(collection, name, keys, is_unique, multikey) VALUES (?, ?, ?, ?, 0)",
      [collection, spec.name, JSON.stringify(spec.keys), spec.unique === true ? 1 : 0],
    );
    if (id === undefined || id >= maxIndexes) {
      throw new RegistryError("too_large", "TOO_MANY_INDEXES", `a database holds at most ${maxIndexes - 1} indexes`);
    }
    const info = loadIndexes(this.#db, collection, this.#multikey).find(({ name }) => name === spec.name) as IndexInfo;
    createIndexTable(this.#db, info);
    const writer = new IndexWriter(this.#db, info, this.#multikey);
    for (const [rid, doc] of this.#db.rows(`SELECT rid, doc FROM ${collectionTable(collection)}`)) {
      writer.add(collection, Number(rid), decode(String(doc)));
    }
  }
}

function sameIndex(existing: IndexInfo, spec: IndexSpec): boolean {
  const keys = existing.keys.map(({ path, order }) => [path, order]);
  return existing.unique === (spec.unique === true) && JSON.stringify(keys) === JSON.stringify(spec.keys);
}
