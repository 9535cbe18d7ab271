import { encodeKey, type KeyPart, keyTuples } from "../model/keys.ts";
import { arrayPosition, overlap } from "../model/paths.ts";
import { missing, type PlainObject } from "../model/values.ts";
import { DuplicateKeyError } from "../port.ts";
import type { Database, SqlValue } from "./database.ts";
import type { Change } from "./operations.ts";
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

  /** Whether the change may lead to other entries of a document that is there. */
  follows(content: Change["content"]): boolean {
    if (!("steps" in content)) return true;
    return content.steps.some(({ op, parts }) => {
      if (op === "setOnInsert") return false;
      // A position in an array is no part of an index's paths.
      const named = parts.filter((part) => arrayPosition(part) === undefined).join(".");
      return this.info.keys.some(({ path }) => overlap(path, named));
    });
  }

  #mark(multikey: readonly boolean[]): void {
    const mask = multikey.reduce((bits, on, i) => (on ? bits | (1 << i) : bits), this.#stored);
    if (mask === this.#stored) return;
    Atomics.or(this.#multikey, this.info.id, mask);
    this.#db.run("UPDATE _indexes SET multikey = ? WHERE id = ?", [mask, this.info.id]);
    this.#stored = mask;
  }

  /** By a text of their own: what two documents have in common need not be written, nor what one has twice. */
  #entries(rid: number, tuples: readonly (readonly KeyPart[])[]): Map<string, Entry> {
    const entries = new Map<string, Entry>();
    for (const tuple of tuples) {
      const keys = tuple.map(encodeKey);
      entries.set(keys.map((key) => `${key.length}:${key.toString("latin1")}`).join(), [...keys, this.#u(rid, tuple)]);
    }
    return entries;
  }

  #u(rid: number, tuple: readonly KeyPart[]): number {
    return !this.info.unique || tuple.every((part) => part === missing) ? rid : 0;
  }

  #tuples(document: PlainObject): readonly (readonly KeyPart[])[] {
    const { tuples, multikey } = keyTuples(document, this.#paths);
    this.#mark(multikey);
    return tuples;
  }

  #each(rid: number, document: PlainObject): Iterable<Entry> {
    const tuples = this.#tuples(document);
    const [only] = tuples;
    if (only !== undefined && tuples.length === 1) return [[...only.map(encodeKey), this.#u(rid, only)]];
    return this.#entries(rid, tuples).values();
  }

  #insert(rid: number, entries: Iterable<Entry>, collection: string): void {
    for (const entry of entries) {
      if (this.#db.run(this.#insertSql, [...entry, rid]) === 0) throw new DuplicateKeyError(collection, this.info.name);
    }
  }

  /** @throws DuplicateKeyError */
  add(collection: string, rid: number, document: PlainObject): void {
    this.#insert(rid, this.#each(rid, document), collection);
  }

  remove(rid: number, document: PlainObject): void {
    for (const entry of this.#each(rid, document)) this.#db.run(this.#deleteSql, entry);
  }

  /** @throws DuplicateKeyError */
  replace(collection: string, rid: number, before: PlainObject, after: PlainObject): void {
    const old = this.#entries(rid, this.#tuples(before));
    const next = this.#entries(rid, this.#tuples(after));
    for (const [text, entry] of old) {
      if (!next.delete(text)) this.#db.run(this.#deleteSql, entry);
    }
    this.#insert(rid, next.values(), collection);
  }
}
