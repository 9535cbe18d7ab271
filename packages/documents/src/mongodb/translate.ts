import type { Document as BsonDocument } from "mongodb";
import { conjuncts, type Expr, type Test } from "../model/filter.ts";
import type { SortKey } from "../model/order.ts";
import type { Step } from "../model/update.ts";
import type { Value } from "../port.ts";

function condition(test: Test): readonly [operator: string, value: unknown] {
  switch (test.op) {
    case "in":
    case "nin":
      return [`$${test.op}`, test.values];
    case "exists":
      return ["$exists", test.exists];
    case "elemMatch":
      return ["$elemMatch", toFilter(test.filter)];
    default:
      return [`$${test.op}`, test.value];
  }
}

/** Values in it are scalars that were checked, so a bare one can only mean equality. */
export function toFilter(expr: Expr): BsonDocument {
  const fields = new Map<string, BsonDocument>();
  const others: BsonDocument[] = [];
  for (const each of conjuncts(expr)) {
    if (each.kind === "or") others.push({ $or: each.any.map(toFilter) });
    if (each.kind !== "test") continue;
    const [operator, value] = condition(each.test);
    const known = fields.get(each.path) ?? {};
    if (operator in known) others.push({ [each.path]: { [operator]: value } });
    else fields.set(each.path, { ...known, [operator]: value });
  }
  const filter: BsonDocument = {};
  for (const [path, operators] of fields) {
    const bare = "$eq" in operators && Object.keys(operators).length === 1;
    filter[path] = bare ? operators.$eq : operators;
  }
  if (others.length === 0) return filter;
  const [only] = others;
  const merged = others.length === 1 && only !== undefined && "$or" in only ? only : { $and: others };
  return { ...filter, ...merged };
}

function argument(step: Step): readonly [operator: string, value: unknown] {
  switch (step.op) {
    case "unset":
      return ["$unset", true];
    case "inc":
      return ["$inc", step.by];
    case "push":
      return ["$push", step.values.length === 1 ? (step.values[0] as Value) : { $each: step.values }];
    case "pull":
      return ["$pull", step.equal];
    case "pullMatching":
      return ["$pull", toFilter(step.filter)];
    default:
      return [`$${step.op}`, step.value];
  }
}

export function toUpdate(steps: readonly Step[]): BsonDocument {
  const update: Record<string, Record<string, unknown>> = {};
  for (const step of steps) {
    const [operator, value] = argument(step);
    update[operator] = { ...update[operator], [step.path]: value };
  }
  return steps.length === 0 ? { $set: {} } : update;
}

export function toSort(sort: readonly SortKey[]): [string, 1 | -1][] {
  return sort.map(({ path, order }) => [path, order]);
}

export function toProjection(fields: readonly string[] | undefined): BsonDocument | undefined {
  return fields === undefined ? undefined : { _id: 1, ...Object.fromEntries(fields.map((path) => [path, 1])) };
}
