import fc from "fast-check";
import type { Condition, FieldFilter, Filter, Scalar, Sort, Update } from "../port.ts";

/**
 * Random documents and filters from few values, so that they meet. The reference is an evaluation in memory by an
 * independent implementation. What the random cases leave out is where that reference is known to leave MongoDB:
 * it is covered case by case in the other files of the suite.
 */
const scalar = fc.constantFrom<Scalar>(
  null,
  true,
  false,
  0,
  1,
  2,
  -1.5,
  2 ** 40,
  "",
  "a",
  "b",
  "B",
  "é",
  new Date(0),
  new Date(5),
);
/** The reference does not take what is missing in elements of an array for null. */
const notNull = scalar.filter((value) => value !== null);
const ordered = fc.constantFrom<number | string | Date>(0, 1, 1.5, 2 ** 40, "", "a", "b", new Date(0), new Date(3));
const inner = fc.record({ x: scalar, y: scalar }, { requiredKeys: [] });
const field = fc.oneof(
  { weight: 3, arbitrary: scalar },
  { weight: 2, arbitrary: fc.array(scalar, { maxLength: 3 }) },
  inner,
  fc.array(inner, { maxLength: 3 }),
);
/** The reference takes scalars for matches of `$elemMatch`, so that one meets lists of objects only. */
const list = fc.array(inner, { maxLength: 3 });
/** The reference adds nothing to a set that holds something twice. */
const set = fc.uniqueArray(scalar, { maxLength: 3 });
const body = fc.record({ a: field, b: field, c: scalar, d: scalar, e: list, s: set }, { requiredKeys: [] });
export const bodies = fc.array(body, { maxLength: 12 });

const conditionOn = (value: fc.Arbitrary<Scalar>) =>
  fc.oneof(
    value,
    fc.record({ $eq: value }),
    fc.record({ $ne: value }),
    fc.record({ $in: fc.array(value, { maxLength: 3 }) }),
    fc.record({ $nin: fc.array(value, { maxLength: 3 }) }),
    fc.record({ $gt: ordered }),
    fc.record({ $gte: ordered }),
    fc.record({ $lt: ordered }),
    fc.record({ $lte: ordered }),
    fc.record({ $gte: ordered, $lt: ordered }),
    fc.record({ $exists: fc.boolean() }),
  );
const elementCondition = fc.oneof(
  fc.record({ $elemMatch: fc.record({ x: scalar }) }),
  fc.record({ $elemMatch: fc.record({ x: scalar, y: fc.record({ $ne: scalar }) }) }),
);
const topLevel = fc.constantFrom("a", "b", "c", "d");
const dotted = fc.constantFrom("a.x", "b.x", "b.y", "e.x");

/** Filters over conditions on single fields, alone and combined. */
function combined(fields: fc.Arbitrary<FieldFilter>): fc.Arbitrary<Filter> {
  const some = fc.array(fields, { minLength: 1, maxLength: 3 });
  return fc.oneof(
    { weight: 3, arbitrary: fields as fc.Arbitrary<Filter> },
    fc.record({ $or: some }),
    fc.record({ $and: some }),
    fc.record({ $and: fc.tuple(fields, fc.record({ $or: some })) }),
  );
}
const merged = (...parts: fc.Arbitrary<FieldFilter>[]) =>
  fc.tuple(...parts).map((fields): FieldFilter => Object.assign({}, ...fields));
const fewOf = (path: fc.Arbitrary<string>, condition: fc.Arbitrary<Scalar | Condition>) =>
  fc.dictionary(path, condition, { maxKeys: 2 }) as fc.Arbitrary<FieldFilter>;

export const filters = combined(
  merged(
    fewOf(topLevel, conditionOn(scalar)),
    fewOf(dotted, conditionOn(notNull)),
    fc.record({ e: elementCondition }, { requiredKeys: [] }),
  ),
);
/** Those too in which the reference is no authority. */
export const allFilters = combined(
  merged(
    fewOf(fc.oneof(topLevel, dotted), conditionOn(scalar)),
    fewOf(fc.constantFrom("a", "b", "e"), elementCondition),
  ),
);
const order = fc.constantFrom<1 | -1>(1, -1);
export const sorts: fc.Arbitrary<Sort> = fc
  .uniqueArray(fc.tuple(fc.constantFrom("c", "d"), order), { maxLength: 2, selector: ([key]) => key })
  .chain((keys) => order.map((last): Sort => [...keys, ["_id", last]]));

const number = fc.constantFrom(0, 1, -2, 0.5, 2 ** 33);
export const updates: fc.Arbitrary<Update> = fc.oneof(
  fc.record({
    $set: fc.dictionary(fc.constantFrom("a", "f.g"), field, { minKeys: 1, maxKeys: 2 }),
  }),
  fc.record({ $unset: fc.dictionary(fc.constantFrom("a", "c", "b.x"), fc.constant(true as const), { minKeys: 1 }) }),
  fc.record({ $inc: fc.dictionary(fc.constantFrom("c", "d"), number, { minKeys: 1 }) }),
  fc.record({ $push: fc.record({ a: fc.oneof(scalar, fc.record({ $each: fc.array(scalar, { maxLength: 3 }) })) }) }),
  fc.record({ $addToSet: fc.record({ s: scalar }) }),
  fc.record({ $pull: fc.record({ a: scalar }) }),
  fc.record({ $set: fc.record({ c: scalar }), $inc: fc.record({ n: number }) }),
);
