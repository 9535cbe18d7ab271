import { applySteps, notApplicable, upsertedDocument } from "../model/apply.ts";
import { decode, encodeDocument } from "../model/codec.ts";
import type { Expr } from "../model/filter.ts";
import { encodeKey } from "../model/keys.ts";
import { idIndex } from "../model/specs.ts";
import type { PlainObject } from "../model/values.ts";
import { DuplicateKeyError, type Id } from "../port.ts";
import type { Database } from "./database.ts";
import { IndexWriter } from "./index-writer.ts";
import type { Change, Changed } from "./operations.ts";
import { everything, type Row, select } from "./read.ts";
import { type CollectionInfo, collectionTable, type Multikey } from "./schema.ts";

const untold = { before: undefined, after: undefined };

/** One collection as the writer sees it. Each method is to be wrapped in a savepoint: a throw leaves half of it done. */
export class Table {
  readonly info: CollectionInfo;
  readonly #db: Database;
  readonly #multikey: Multikey;
  readonly #indexes: readonly IndexWriter[];
  readonly #table: string;

  constructor(db: Database, info: CollectionInfo, multikey: Multikey) {
    this.info = info;
    this.#db = db;
    this.#multikey = multikey;
    this.#table = collectionTable(info.name);
    this.#indexes = info.indexes.map((index) => new IndexWriter(db, index, multikey));
  }

  reload(): void {
    for (const index of this.#indexes) index.reload();
  }

  /** @throws DuplicateKeyError */
  insert(text: string, document: PlainObject): void {
    const id = encodeKey(document._id as Id);
    const rid = this.#db.insert(`INSERT INTO ${this.#table}(id, doc) VALUES (?, ?) ON CONFLICT DO NOTHING`, [id, text]);
    if (rid === undefined) throw new DuplicateKeyError(this.info.name, idIndex);
    for (const index of this.#indexes) index.add(this.info.name, rid, document);
  }

  delete(filter: Expr, many: boolean): number {
    const rows = this.#select(filter, many, []);
    for (const { rid, document } of rows) {
      for (const index of this.#indexes) index.remove(rid, document);
      this.#db.run(`DELETE FROM ${this.#table} WHERE rid = ?`, [rid]);
    }
    return rows.length;
  }

  /** @throws DuplicateKeyError, RegistryError `UPDATE_NOT_APPLICABLE`, `DOCUMENT_TOO_LARGE` */
  update(filter: Expr, change: Change): Changed {
    const rows = this.#select(filter, change.many, change.sort);
    if (rows.length === 0 && change.upsert !== undefined) return this.#upsert(change, change.upsert);
    let modifiedCount = 0;
    let after: string | undefined;
    for (const row of rows) {
      after = changedText(row, change);
      if (after === row.text) continue;
      this.#replace(row, after);
      modifiedCount += 1;
    }
    const counts = { matchedCount: rows.length, modifiedCount, upsertedId: undefined };
    return { ...counts, ...(change.told ? { before: rows.at(-1)?.text, after } : untold) };
  }

  #select(filter: Expr, many: boolean, sort: Change["sort"]): Row[] {
    const window = many ? everything : { sort, skip: 0, limit: 1 };
    return select(this.#db, this.info, this.#multikey, filter, window);
  }

  #replace(row: Row, text: string): void {
    this.#db.run(`UPDATE ${this.#table} SET doc = ? WHERE rid = ?`, [text, row.rid]);
    if (this.#indexes.length === 0) return;
    const after = decode(text);
    for (const index of this.#indexes) index.replace(this.info.name, row.rid, row.document, after);
  }

  #upsert(change: Change, fields: NonNullable<Change["upsert"]>): Changed {
    const { content } = change;
    const document = "steps" in content ? upsertedDocument(fields, content.steps) : decode(content.replacement);
    const text = "steps" in content ? encodeDocument(document) : content.replacement;
    this.insert(text, document);
    const told = { before: undefined, after: change.told ? text : undefined };
    return { matchedCount: 0, modifiedCount: 0, upsertedId: document._id as Id, ...told };
  }
}

function changedText(row: Row, { content }: Change): string {
  if ("replacement" in content) {
    if (decode(content.replacement)._id === row.document._id) return content.replacement;
    throw notApplicable("the replacement has another _id than the document that it is to replace");
  }
  // The row's document stays as it was: the old index entries are made from it.
  const document = decode(row.text);
  applySteps(document, content.steps, false);
  return encodeDocument(document);
}
