import { encodeKey, keyTuples } from "../model/keys.ts";
import { missing, type PlainObject } from "../model/values.ts";
import { DuplicateKeyError } from "../port.ts";
import type { Database, SqlValue } from "./database.ts";
import { type IndexInfo, indexTable, type Multikey } from "./schema.ts";

/** One row of an index: its key columns, then `u`. */
type Entry = readonly SqlValue[];

/** Keeps the rows of one index. */
export class IndexWriter {
  readonly info: IndexInfo;
  readonly #db: Database;
  readonly #multikey: Multikey;
  readonly #paths: readonly (readonly string[])[];
  readonly #insertSql: string;
  readonly #deleteSql: string;
  /** The mask as the file has it, this transaction included. */
  #stored: number;

  constructor(db: Database, info: IndexInfo, multikey: Multikey) {
    const columns = [...info.keys.map((_, i) => `k${i}`), "u"];
    this.info = info;
    this.#db = db;
    this.#multikey = multikey;
    this.#paths = info.keys.map(({ parts }) => parts);
    this.#insertSql = `INSERT INTO ${indexTable(info)}(${columns.join(", ")}, rid)
      VALUES (${columns.map(() => "?").join(", ")}, ?) ON CONFLICT DO NOTHING`;
    this.#deleteSql = `DELETE FROM ${indexTable(info)} WHERE ${columns.map((column) => `${column} = ?`).join(" AND ")}`;
    this.#stored = this.#readMask();
  }

  #readMask(): number {
    return Number(this.#db.row("SELECT multikey FROM _indexes WHERE id = ?", [this.info.id])?.[0] ?? 0);
  }

  /** To be called after a rollback, which may have taken back what was stored. */
  reload(): void {
    this.#stored = this.#readMask();
  }

  #mark(multikey: readonly boolean[]): void {
    const mask = multikey.reduce((bits, on, i) => (on ? bits | (1 << i) : bits), this.#stored);
    if (mask === this.#stored) return;
    Atomics.or(this.#multikey, this.info.id, mask);
    this.#db.run("UPDATE _indexes SET multikey = ? WHERE id = ?", [mask, this.info.id]);
    this.#stored = mask;
  }

  /** By a text of their own: what two documents have in common need not be written, nor what one has twice. */
  #entries(rid: number, document: PlainObject): Map<string, Entry> {
    const { tuples, multikey } = keyTuples(document, this.#paths);
    this.#mark(multikey);
    const entries = new Map<string, Entry>();
    for (const tuple of tuples) {
      const keys = tuple.map(encodeKey);
      const u = !this.info.unique || tuple.every((part) => part === missing) ? rid : 0;
      entries.set(keys.map((key) => `${key.length}:${key.toString("latin1")}`).join(), [...keys, u]);
    }
    return entries;
  }

  #insert(rid: number, entries: Iterable<Entry>, collection: string): void {
    for (const entry of entries) {
      if (this.#db.run(this.#insertSql, [...entry, rid]) === 0) throw new DuplicateKeyError(collection, this.info.name);
    }
  }

  /** @throws DuplicateKeyError */
  add(collection: string, rid: number, document: PlainObject): void {
    this.#insert(rid, this.#entries(rid, document).values(), collection);
  }

  remove(rid: number, document: PlainObject): void {
    for (const entry of this.#entries(rid, document).values()) this.#db.run(this.#deleteSql, entry);
  }

  /** @throws DuplicateKeyError */
  replace(collection: string, rid: number, before: PlainObject, after: PlainObject): void {
    const old = this.#entries(rid, before);
    const next = this.#entries(rid, after);
    for (const [text, entry] of old) {
      if (!next.delete(text)) this.#db.run(this.#deleteSql, entry);
    }
    this.#insert(rid, next.values(), collection);
  }
}
