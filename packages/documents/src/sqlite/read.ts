import { decode } from "../model/codec.ts";
import { matches } from "../model/evaluate.ts";
import type { Expr } from "../model/filter.ts";
import { encodeKey } from "../model/keys.ts";
import { type SortKey, sortItems } from "../model/order.ts";
import type { PlainObject } from "../model/values.ts";
import type { Scalar } from "../port.ts";
import type { Database, SqlValue } from "./database.ts";
import { type Plan, planFor, type Search } from "./plan.ts";
import { type CollectionInfo, collectionTable, indexTable, type Multikey } from "./schema.ts";

export interface Row {
  readonly rid: number;
  readonly text: string;
  readonly document: PlainObject;
}
export interface Window {
  readonly sort: readonly SortKey[];
  readonly skip: number;
  /** Infinity for all. */
  readonly limit: number;
}
export const everything: Window = { sort: [], skip: 0, limit: Number.POSITIVE_INFINITY };
type Raw = readonly SqlValue[];

function sourceOf(collection: CollectionInfo, { index }: Search, joined: boolean): string {
  const table = collectionTable(collection.name);
  if (index === undefined) return `${table} c`;
  // CROSS JOIN keeps SQLite from turning the two tables around.
  return joined ? `${indexTable(index)} x CROSS JOIN ${table} c ON c.rid = x.rid` : `${indexTable(index)} x`;
}

const whereSql = ({ where }: Search): string => (where.length === 0 ? "" : ` WHERE ${where.join(" AND ")}`);
const orderSql = (terms: readonly string[]): string => (terms.length === 0 ? "" : ` ORDER BY ${terms.join(", ")}`);

/**
 * Sorts and cuts on the narrow rows of the index before any document is read; the outer sort, over what is left,
 * only keeps the order through the join.
 */
function cutFirst(collection: CollectionInfo, search: Search, orderBy: readonly string[]): string {
  const columns = search.index?.keys.map((_, i) => `x.k${i} AS k${i}`).join(", ");
  const inner = `SELECT ${columns}, x.rid AS rid FROM ${sourceOf(collection, search, false)}${whereSql(search)}${orderSql(orderBy)} LIMIT ? OFFSET ?`;
  const outer = orderSql(orderBy.map((term) => term.replace("x.", "e.")));
  return `SELECT c.rid, c.doc FROM (${inner}) e CROSS JOIN ${collectionTable(collection.name)} c ON c.rid = e.rid${outer}`;
}

function searchSql(collection: CollectionInfo, search: Search, cut: boolean): string {
  const orderBy = search.orderBy ?? [];
  if (cut && search.index !== undefined && !search.joins && orderBy.length > 0) {
    return cutFirst(collection, search, orderBy);
  }
  const natural = search.index === undefined && search.where.length === 0 ? ["c.rid"] : [];
  const order = orderSql(orderBy.length > 0 ? orderBy : natural);
  return `SELECT c.rid, c.doc FROM ${sourceOf(collection, search, true)}${whereSql(search)}${order} LIMIT ? OFFSET ?`;
}

function* candidates(db: Database, collection: CollectionInfo, plan: Plan): Generator<Raw> {
  if (plan.kind === "union") {
    for (const branch of plan.branches) yield* candidates(db, collection, branch);
    return;
  }
  yield* db.rows(searchSql(collection, plan, false), [...plan.args, -1, 0]);
}

/** The documents of a plan that fulfil the filter, each once. */
function* matching(db: Database, collection: CollectionInfo, plan: Plan, expr: Expr): Generator<Row> {
  const check = plan.kind === "union" || !plan.exact;
  const seen = plan.kind === "union" || plan.repeats ? new Set<number>() : undefined;
  for (const [id, doc] of candidates(db, collection, plan)) {
    const rid = Number(id);
    if (seen?.has(rid)) continue;
    seen?.add(rid);
    const text = String(doc);
    const document = decode(text);
    if (!check || matches(expr, document)) yield { rid, text, document };
  }
}

function take(rows: Iterable<Row>, skip: number, limit: number): Row[] {
  const taken: Row[] = [];
  let left = skip;
  for (const row of rows) {
    if (left > 0) left -= 1;
    else if (taken.push(row) >= limit) break;
  }
  return taken;
}

/** @returns undefined where the filter does not ask for one id */
function selectById(db: Database, collection: CollectionInfo, expr: Expr): Row[] | undefined {
  const id = idAskedFor(expr);
  if (id === undefined) return undefined;
  const sql = `SELECT rid, doc FROM ${collectionTable(collection.name)} WHERE id = ?`;
  const row = db.row(sql, [encodeKey(id)]);
  if (row === undefined) return [];
  const text = String(row[1]);
  const document = decode(text);
  return expr.kind === "test" || matches(expr, document) ? [{ rid: Number(row[0]), text, document }] : [];
}

function idAskedFor(expr: Expr): Scalar | undefined {
  if (expr.kind === "or") return undefined;
  if (expr.kind === "test") return expr.path === "_id" && expr.test.op === "eq" ? expr.test.value : undefined;
  for (const one of expr.all) {
    const id = idAskedFor(one);
    if (id !== undefined) return id;
  }
  return undefined;
}

/** The documents that fulfil the filter, within the window. */
export function select(
  db: Database,
  collection: CollectionInfo,
  multikey: Multikey,
  expr: Expr,
  window: Window,
): Row[] {
  const { sort, skip, limit } = window;
  if (limit <= 0) return [];
  const byId = selectById(db, collection, expr);
  if (byId !== undefined) return byId.slice(skip, skip + limit);
  const plan = planFor(collection, multikey, expr, sort);
  if (sort.length > 0 && (plan.kind === "union" || plan.orderBy === undefined)) {
    const all = Array.from(matching(db, collection, plan, expr));
    return sortItems(all, ({ document }) => document, sort).slice(skip, skip + limit);
  }
  if (plan.kind === "union" || !plan.exact || plan.repeats) {
    return take(matching(db, collection, plan, expr), skip, limit);
  }
  const cut = Number.isFinite(limit) || skip > 0;
  const rows = db.rows(searchSql(collection, plan, cut), [...plan.args, Number.isFinite(limit) ? limit : -1, skip]);
  return Array.from(rows, ([rid, doc]) => ({ rid: Number(rid), text: String(doc), document: decode(String(doc)) }));
}

/** How many documents fulfil the filter; no document is read where the index knows. */
export function count(db: Database, collection: CollectionInfo, multikey: Multikey, expr: Expr): number {
  const plan = planFor(collection, multikey, expr, []);
  if (plan.kind === "union" || !plan.exact) {
    let total = 0;
    for (const _ of matching(db, collection, plan, expr)) total += 1;
    return total;
  }
  const what = plan.repeats ? "count(DISTINCT x.rid)" : "count(*)";
  const sql = `SELECT ${what} FROM ${sourceOf(collection, plan, plan.joins)}${whereSql(plan)}`;
  return Number(db.row(sql, plan.args)?.[0]);
}
