import { conjuncts, type Expr, type Test } from "../model/filter.ts";
import type { SortKey } from "../model/order.ts";
import { type Bound, boundOf } from "./bounds.ts";
import type { SqlValue } from "./database.ts";
import { type CollectionInfo, type IndexInfo, isMultikey, type Multikey } from "./schema.ts";

/** One search by one index, or by the collection's own table. */
export interface Search {
  readonly kind: "search";
  readonly index: IndexInfo | undefined;
  readonly where: readonly string[];
  readonly args: readonly SqlValue[];
  /** The sort as SQL; undefined if the sort needs what the index does not hold. */
  readonly orderBy: readonly string[] | undefined;
  /** True if the rows are the filter's documents; otherwise each is to be checked. */
  readonly exact: boolean;
  /** True if one document may come in several rows. */
  readonly repeats: boolean;
  /** True if it needs columns of the collection's own table. */
  readonly joins: boolean;
  /** 0 where it reads the whole collection in no useful order. */
  readonly score: number;
}
/** The results of several searches together. */
export interface Union {
  readonly kind: "union";
  readonly branches: readonly Plan[];
  readonly score: number;
}
export type Plan = Search | Union;

interface Column {
  readonly path: string;
  readonly order: 1 | -1;
  readonly sql: string;
  readonly multikey: boolean;
}
interface Candidate {
  readonly test: Test;
  /** It follows from the filter, but is not all that the filter says. */
  readonly derived: boolean;
}

const idColumn: Column = { path: "_id", order: 1, sql: "c.id", multikey: false };

function testsByPath(filter: readonly Expr[]): Map<string, Candidate[]> {
  const tests = new Map<string, Candidate[]>();
  const add = (path: string, test: Test, derived: boolean): void => {
    const list = tests.get(path);
    if (list === undefined) tests.set(path, [{ test, derived }]);
    else list.push({ test, derived });
  };
  for (const expr of filter) {
    if (expr.kind !== "test") continue;
    add(expr.path, expr.test, false);
    if (expr.test.op !== "elemMatch") continue;
    for (const inner of conjuncts(expr.test.filter)) {
      if (inner.kind === "test") add(`${expr.path}.${inner.path}`, inner.test, true);
    }
  }
  return tests;
}

const ranks = { equal: 100, list: 60, range: 30, none: 0 };

/** The bounds on each column. Where arrays are, only one: two tests may be fulfilled by two elements. */
function boundsOf(columns: readonly Column[], tests: ReadonlyMap<string, Candidate[]>): Bound[][] {
  let arrays = 0;
  return columns.map((column) => {
    const bounds = (tests.get(column.path) ?? []).flatMap(({ test, derived }) => {
      const bound = boundOf(test, column.sql, column.multikey);
      return bound === undefined ? [] : [derived ? { ...bound, exact: false } : bound];
    });
    if (!column.multikey || bounds.length === 0) return bounds;
    arrays += 1;
    return arrays > 1 ? [] : [bounds.reduce((best, bound) => (ranks[bound.rank] > ranks[best.rank] ? bound : best))];
  });
}

function prefixScore(bounds: readonly (readonly Bound[])[], unique: boolean): number {
  let score = 0;
  for (const [i, column] of bounds.entries()) {
    const best = Math.max(0, ...column.map((bound) => ranks[bound.rank]));
    score += best;
    if (best <= ranks.range) return score;
    if (unique && best === ranks.equal && i === bounds.length - 1) return score + 1000;
  }
  return score;
}

const isConstant = (bounds: readonly Bound[] | undefined): boolean =>
  bounds?.some(({ rank }) => rank === "equal") ?? false;

/** True if reading the index in its order, or backwards, is the sort. */
function serves(columns: readonly Column[], bounds: readonly (readonly Bound[])[], sort: readonly SortKey[]): boolean {
  let at = 0;
  let direction = 0;
  for (const key of sort) {
    const fixed = columns.findIndex((column) => column.path === key.path);
    if (fixed >= 0 && fixed < at) continue;
    while (at < columns.length && columns[at]?.path !== key.path && isConstant(bounds[at])) at += 1;
    const column = columns[at];
    if (column?.path !== key.path || column.multikey) return false;
    const towards = column.order * key.order;
    if (direction === 0) direction = towards;
    else if (direction !== towards && !isConstant(bounds[at])) return false;
    at += 1;
  }
  return sort.length > 0;
}

function orderOf(columns: readonly Column[], sort: readonly SortKey[]): readonly string[] | undefined {
  const terms = sort.map((key) => {
    const column = columns.find(({ path }) => path === key.path);
    return column === undefined || column.multikey ? undefined : `${column.sql} ${key.order === 1 ? "ASC" : "DESC"}`;
  });
  return terms.every((term) => term !== undefined) ? terms : undefined;
}

function search(
  index: IndexInfo | undefined,
  columns: readonly Column[],
  filter: readonly Expr[],
  tests: ReadonlyMap<string, Candidate[]>,
  sort: readonly SortKey[],
): Search {
  // The collection's own table is joined, so a test of _id can be checked beside any index.
  const all = columns.some(({ path }) => path === "_id") ? columns : [...columns, idColumn];
  const bounds = boundsOf(all, tests);
  const used = bounds.flat();
  const own = bounds.slice(0, columns.length);
  const orderBy = orderOf(all, sort);
  const narrowing = prefixScore(own, index?.unique ?? true);
  // An index that only holds what the sort needs spares reading documents that the limit cuts off.
  const sorting = serves(columns, own, sort) ? 20 : narrowing > 0 && sort.length > 0 && orderBy !== undefined ? 10 : 0;
  return {
    kind: "search",
    index,
    where: used.map(({ sql }) => sql),
    args: used.flatMap(({ args }) => args),
    orderBy,
    exact: used.filter(({ exact }) => exact).length === filter.length,
    repeats: columns.some((column, i) => column.multikey && !isConstant(own[i])),
    joins: all.length > columns.length && (tests.has("_id") || sort.some(({ path }) => path === "_id")),
    score: narrowing + sorting,
  };
}

function unionOf(collection: CollectionInfo, multikey: Multikey, filter: readonly Expr[]): Union | undefined {
  for (const expr of filter) {
    if (expr.kind !== "or") continue;
    const branches = expr.any.map((branch) => planFor(collection, multikey, branch, []));
    const score = Math.min(...branches.map((branch) => branch.score));
    if (score > 0) return { kind: "union", branches, score };
  }
  return undefined;
}

/** The cheapest way to the documents that fulfil the filter, in order of the sort where an index has it. */
export function planFor(collection: CollectionInfo, multikey: Multikey, expr: Expr, sort: readonly SortKey[]): Plan {
  const filter = conjuncts(expr);
  const tests = testsByPath(filter);
  let best = search(undefined, [idColumn], filter, tests, sort);
  for (const index of collection.indexes) {
    const columns = index.keys.map(({ path, order }, i) => {
      return { path, order, sql: `x.k${i}`, multikey: isMultikey(multikey, index, i) };
    });
    const found = search(index, columns, filter, tests, sort);
    if (found.score > best.score) best = found;
  }
  const narrows = best.score > 20;
  return (narrows ? undefined : unionOf(collection, multikey, filter)) ?? best;
}
