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

  /** An insertion that fails for a duplicate has written nothing: the id is asked for first, and nothing else is unique. */
  get insertsWhole(): boolean {
    return this.info.indexes.every(({ unique }) => !unique);
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
    const indexes = this.#indexes.filter((index) => index.follows(change.content));
    let modifiedCount = 0;
    let after: string | undefined;
    for (const row of rows) {
      const document = changed(row, change);
      after = "steps" in change.content ? encodeDocument(document) : change.content.replacement;
      if (after === row.text) continue;
      this.#replace(row, after, document, indexes);
      modifiedCount += 1;
    }
    const counts = { matchedCount: rows.length, modifiedCount, upsertedId: undefined };
    return { ...counts, ...(change.told ? { before: rows.at(-1)?.text, after } : untold) };
  }

  #select(filter: Expr, many: boolean, sort: Change["sort"]): Row[] {
    const window = many ? everything : { sort, skip: 0, limit: 1 };
    return select(this.#db, this.info, this.#multikey, filter, window);
  }

  #replace(row: Row, text: string, document: PlainObject, indexes: readonly IndexWriter[]): void {
    this.#db.run(`UPDATE ${this.#table} SET doc = ? WHERE rid = ?`, [text, row.rid]);
    if (indexes.length === 0) return;
    const before = decode(row.text);
    for (const index of indexes) index.replace(this.info.name, row.rid, before, document);
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

/** The document as it is to be. It takes the place of the row's, of which the text alone stays as it was. */
function changed({ document }: Row, { content }: Change): PlainObject {
  if ("steps" in content) {
    applySteps(document, content.steps, false);
    return document;
  }
  const replacement = decode(content.replacement);
  if (replacement._id === document._id) return replacement;
  throw notApplicable("the replacement has another _id than the document that it is to replace");
}
