import { describe, expect } from "vitest";
import type { Filter, IndexSpec } from "../port.ts";
import { type AnyDocument, idsOf, type Suite } from "./context.ts";

const epoch = new Date(1000);
const samples: readonly AnyDocument[] = [
  { _id: "number", a: 5 },
  { _id: "string", a: "5" },
  { _id: "null", a: null },
  { _id: "missing" },
  { _id: "boolean", a: true },
  { _id: "date", a: epoch },
  { _id: "array", a: [1, 5, 9] },
  { _id: "empty", a: [] },
  { _id: "object", a: { b: 5 } },
  {
    _id: "list",
    a: [
      { b: 1, c: 1 },
      { b: 5, c: 2 },
    ],
  },
  { _id: "gaps", a: [{ b: 1 }, { c: 5 }] },
  { _id: "inner", a: { b: [1, 5] } },
];
const all = samples.map(({ _id }) => String(_id));
const but = (...ids: string[]): string[] => all.filter((id) => !ids.includes(id));

const cases: readonly (readonly [name: string, filter: Filter, ids: readonly string[]])[] = [
  ["everything", {}, all],
  ["_id", { _id: "date" }, ["date"]],
  ["equal number", { a: 5 }, ["number", "array"]],
  ["$eq number", { a: { $eq: 5 } }, ["number", "array"]],
  ["equal string", { a: "5" }, ["string"]],
  ["equal boolean", { a: true }, ["boolean"]],
  ["equal date", { a: epoch }, ["date"]],
  ["equal null is null or missing", { a: null }, ["null", "missing"]],
  ["$ne", { a: { $ne: 5 } }, but("number", "array")],
  ["$ne null", { a: { $ne: null } }, but("null", "missing")],
  ["$in", { a: { $in: [5, "5"] } }, ["number", "string", "array"]],
  ["$in with null", { a: { $in: [true, null] } }, ["null", "missing", "boolean"]],
  ["$in nothing", { a: { $in: [] } }, []],
  ["$nin nothing", { a: { $nin: [] } }, all],
  ["$nin", { a: { $nin: [5, null] } }, but("number", "array", "null", "missing")],
  ["$gt", { a: { $gt: 4 } }, ["number", "array"]],
  ["$gte", { a: { $gte: 9 } }, ["array"]],
  ["$lt", { a: { $lt: 5 } }, ["array"]],
  ["$lte", { a: { $lte: 1 } }, ["array"]],
  ["a range may be met by two elements", { a: { $gt: 5, $lt: 5 } }, ["array"]],
  ["$gt string stays within strings", { a: { $gt: "" } }, ["string"]],
  ["$lte date stays within dates", { a: { $lte: new Date(2000) } }, ["date"]],
  ["$gt date", { a: { $gt: epoch } }, []],
  ["$exists true", { a: { $exists: true } }, but("missing")],
  ["$exists false", { a: { $exists: false } }, ["missing"]],
  ["two conditions on one path", { a: { $gte: 1, $ne: 9 } }, ["number"]],
  ["dotted", { "a.b": 5 }, ["object", "list", "inner"]],
  ["dotted $ne", { "a.b": { $ne: 5 } }, but("object", "list", "inner")],
  ["dotted null", { "a.b": null }, ["number", "string", "null", "missing", "boolean", "date", "gaps"]],
  ["dotted $nin null", { "a.b": { $nin: [null] } }, ["array", "empty", "object", "list", "inner"]],
  ["dotted $exists true", { "a.b": { $exists: true } }, ["object", "list", "gaps", "inner"]],
  ["dotted $exists false", { "a.b": { $exists: false } }, but("object", "list", "gaps", "inner")],
  ["dotted range may be met by two elements", { "a.b": { $gt: 1, $lt: 5 } }, ["list", "inner"]],
  ["two dotted paths may be met by two elements", { "a.b": 5, "a.c": 1 }, ["list"]],
  ["$elemMatch is met by one element", { a: { $elemMatch: { b: 5, c: 1 } } }, []],
  ["$elemMatch", { a: { $elemMatch: { b: 1, c: 1 } } }, ["list"]],
  ["$elemMatch with operators", { a: { $elemMatch: { b: { $gte: 1 }, c: { $in: [2, 3] } } } }, ["list"]],
  ["$elemMatch with null", { a: { $elemMatch: { b: 1, c: null } } }, ["gaps"]],
  ["a position in an array", { "a.0": 1 }, ["array"]],
  ["a path through a position", { "a.1.b": 5 }, ["list"]],
  ["$and on one path", { $and: [{ a: 1 }, { a: 9 }] }, ["array"]],
  ["$or", { $or: [{ a: 9 }, { a: "5" }] }, ["string", "array"]],
  ["$or in $and", { $and: [{ $or: [{ a: 5 }, { a: null }] }, { a: { $exists: true } }] }, ["number", "null", "array"]],
  ["$and in $or", { $or: [{ $and: [{ a: 1 }, { a: 5 }] }, { _id: "null" }] }, ["null", "array"]],
];

const single: readonly IndexSpec[] = [
  { name: "by_a", keys: [["a", 1]] },
  { name: "by_ab", keys: [["a.b", -1]] },
];
const compound: readonly IndexSpec[] = [
  {
    name: "by_ab_ac",
    keys: [
      ["a.b", 1],
      ["a.c", -1],
    ],
  },
  {
    name: "by_id_a",
    keys: [
      ["_id", 1],
      ["a", -1],
    ],
  },
];

export function describeFilters(suite: Suite): void {
  describe.each([
    ["without an index", []],
    ["with an index on each path", single],
    ["with compound indexes", compound],
  ] as const)("filters %s", (_, indexes) => {
    for (const [name, filter, ids] of cases) {
      suite.check(`filter: ${name}`, async () => {
        const collection = await suite.collection(indexes);
        await collection.insertNew(samples);
        expect((await idsOf(collection, filter)).sort()).toEqual([...ids].sort());
        expect(await collection.countDocuments(filter)).toBe(ids.length);
        const one = await collection.findOne(filter);
        expect(ids.length === 0 ? one === null : ids.includes(String(one?._id))).toBe(true);
      });
    }

    suite.check("filter: an array inside an array is no element of the outer one's", async () => {
      const collection = await suite.collection(indexes);
      await collection.insertNew([
        { _id: "scalars", a: [[5]] },
        { _id: "objects", a: [[{ b: 5 }]] },
        { _id: "flat", a: [5, { b: 5 }] },
      ]);
      expect(await idsOf(collection, { a: 5 })).toEqual(["flat"]);
      expect(await idsOf(collection, { a: { $gt: 0 } })).toEqual(["flat"]);
      expect(await idsOf(collection, { "a.b": 5 })).toEqual(["flat"]);
      expect(await idsOf(collection, { "a.b": null })).toEqual([]);
      expect((await idsOf(collection, { a: { $ne: 5 } })).sort()).toEqual(["objects", "scalars"]);
    });

    suite.check("filter: ids may be numbers, which equal no string", async () => {
      const collection = await suite.collection(indexes);
      await collection.insertNew([{ _id: 1 }, { _id: "1" }, { _id: 1.5 }]);
      expect(await collection.findOne({ _id: 1 })).toEqual({ _id: 1 });
      expect(await idsOf(collection, { _id: { $gte: 1 } }, { sort: [["_id", -1]] })).toEqual([1.5, 1]);
    });
  });
}
