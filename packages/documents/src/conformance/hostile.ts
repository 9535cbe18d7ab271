import { describe, expect } from "vitest";
import type { Filter, FindOptions, Update } from "../port.ts";
import { type AnyDocument, expectReason, fromOutside, type Suite } from "./context.ts";

const ownProto: unknown = JSON.parse('{"__proto__": {"admin": true}}');

const documents: readonly (readonly [name: string, document: unknown, reason: string])[] = [
  ["a key with $", { _id: 1, $set: 1 }, "INVALID_DOCUMENT_KEY"],
  ["a nested key with $", { _id: 1, a: [{ $where: "1" }] }, "INVALID_DOCUMENT_KEY"],
  ["a key with a dot", { _id: 1, "a.b": 1 }, "INVALID_DOCUMENT_KEY"],
  ["a key with NUL", { _id: 1, "a\0b": 1 }, "INVALID_DOCUMENT_KEY"],
  ["an empty key", { _id: 1, "": 1 }, "INVALID_DOCUMENT_KEY"],
  ["the key __proto__", { _id: 1, a: ownProto }, "INVALID_DOCUMENT_KEY"],
  ["no _id", { a: 1 }, "INVALID_DOCUMENT_ID"],
  ["an object as _id", { _id: { $gt: "" } }, "INVALID_DOCUMENT_ID"],
  ["null as _id", { _id: null }, "INVALID_DOCUMENT_ID"],
  ["NaN", { _id: 1, a: Number.NaN }, "INVALID_DOCUMENT_VALUE"],
  ["Infinity", { _id: 1, a: [Number.POSITIVE_INFINITY] }, "INVALID_DOCUMENT_VALUE"],
  ["an invalid date", { _id: 1, a: new Date(Number.NaN) }, "INVALID_DOCUMENT_VALUE"],
  ["a big integer", { _id: 1, a: 1n }, "INVALID_DOCUMENT_VALUE"],
  ["bytes", { _id: 1, a: new Uint8Array(2) }, "INVALID_DOCUMENT_VALUE"],
  ["a map", { _id: 1, a: new Map() }, "INVALID_DOCUMENT_VALUE"],
  ["a function", { _id: 1, a: () => 1 }, "INVALID_DOCUMENT_VALUE"],
  ["undefined in an array", { _id: 1, a: [undefined] }, "INVALID_DOCUMENT_VALUE"],
  ["no document", null, "INVALID_DOCUMENT_VALUE"],
  ["an array", [{ _id: 1 }], "INVALID_DOCUMENT_VALUE"],
  ["too many levels", { _id: 1, a: nest(101) }, "INVALID_DOCUMENT_VALUE"],
  ["over 16 MiB", { _id: 1, a: "x".repeat(17 * 1024 * 1024) }, "DOCUMENT_TOO_LARGE"],
];

function nest(levels: number): unknown {
  return levels === 0 ? 1 : { n: nest(levels - 1) };
}

const filters: readonly (readonly [name: string, filter: unknown, reason: string])[] = [
  ["$where", { $where: "true" }, "INVALID_DOCUMENT_KEY"],
  ["$expr", { $expr: { $eq: [1, 1] } }, "INVALID_DOCUMENT_KEY"],
  ["$nor", { $nor: [{}] }, "INVALID_DOCUMENT_KEY"],
  ["$regex", { a: { $regex: ".*" } }, "INVALID_FILTER"],
  ["$not", { a: { $not: { $eq: 1 } } }, "INVALID_FILTER"],
  ["an object as value", { a: { b: 1 } }, "INVALID_FILTER"],
  ["an object beside an operator", { a: { $eq: 1, b: 1 } }, "INVALID_FILTER"],
  ["an operator inside $eq", { a: { $eq: { $gt: "" } } }, "INVALID_FILTER"],
  ["an operator inside $in", { a: { $in: [{ $gt: "" }] } }, "INVALID_FILTER"],
  ["an empty object as value", { a: {} }, "INVALID_FILTER"],
  ["an array as value", { a: [1] }, "INVALID_FILTER"],
  ["a regular expression", { a: /x/ }, "INVALID_FILTER"],
  ["undefined", { _id: undefined }, "INVALID_FILTER"],
  ["undefined in an operator", { _id: { $gt: undefined } }, "INVALID_FILTER"],
  ["undefined in $or", { $or: undefined }, "INVALID_FILTER"],
  ["$in without a list", { a: { $in: "x" } }, "INVALID_FILTER"],
  ["$gt null", { a: { $gt: null } }, "INVALID_FILTER"],
  ["$exists 1", { a: { $exists: 1 } }, "INVALID_FILTER"],
  ["an empty $or", { $or: [] }, "INVALID_FILTER"],
  ["an empty $and", { $and: [] }, "INVALID_FILTER"],
  ["an operator in $elemMatch", { a: { $elemMatch: { $gt: 1 } } }, "INVALID_DOCUMENT_KEY"],
  ["__proto__", ownProto, "INVALID_DOCUMENT_KEY"],
  ["__proto__ in a path", { "a.__proto__.b": 1 }, "INVALID_DOCUMENT_KEY"],
  ["an empty path part", { "a..b": 1 }, "INVALID_DOCUMENT_KEY"],
  ["NaN", { a: Number.NaN }, "INVALID_DOCUMENT_VALUE"],
  ["no filter", null, "INVALID_FILTER"],
  ["a string", "_id", "INVALID_FILTER"],
];

const updates: readonly (readonly [name: string, update: unknown, reason: string])[] = [
  ["no operator", {}, "INVALID_UPDATE"],
  ["a document", { a: 1 }, "INVALID_UPDATE"],
  ["a pipeline", [{ $set: { a: 1 } }], "INVALID_UPDATE"],
  ["$rename", { $rename: { a: "b" } }, "INVALID_UPDATE"],
  ["_id", { $set: { _id: 2 } }, "INVALID_UPDATE"],
  ["undefined", { $set: { a: undefined } }, "INVALID_UPDATE"],
  ["one path twice", { $set: { a: 1 }, $inc: { a: 1 } }, "INVALID_UPDATE"],
  ["a path and one inside it", { $set: { a: {}, "a.b": 1 } }, "INVALID_UPDATE"],
  ["an operator as value", { $set: { a: { $gt: 1 } } }, "INVALID_DOCUMENT_KEY"],
  ["a path with $", { $set: { "a.$.b": 1 } }, "INVALID_DOCUMENT_KEY"],
  ["a path with __proto__", { $set: { "a.__proto__.b": 1 } }, "INVALID_DOCUMENT_KEY"],
  ["$push with $slice", { $push: { a: { $each: [], $slice: 0 } } }, "INVALID_UPDATE"],
  ["$addToSet with $each", { $addToSet: { a: { $each: [1] } } }, "INVALID_DOCUMENT_KEY"],
  ["$pull of everything", { $pull: { a: {} } }, "INVALID_UPDATE"],
  ["$pull with an operator", { $pull: { a: { $gt: 1 } } }, "INVALID_UPDATE"],
  ["$inc by text", { $inc: { a: "1" } }, "INVALID_UPDATE"],
  ["$max of text", { $max: { a: "1" } }, "INVALID_UPDATE"],
];

const options: readonly (readonly [name: string, options: unknown, reason: string])[] = [
  ["a negative limit", { limit: -1 }, "INVALID_FIND_OPTIONS"],
  ["a fraction to skip", { skip: 0.5 }, "INVALID_FIND_OPTIONS"],
  ["text as limit", { limit: "1" }, "INVALID_FIND_OPTIONS"],
  ["a sort order of 2", { sort: [["a", 2]] }, "INVALID_SORT"],
  [
    "a sort by one path twice",
    {
      sort: [
        ["a", 1],
        ["a", -1],
      ],
    },
    "INVALID_SORT",
  ],
  ["a sort by a position", { sort: [["a.0", 1]] }, "INVALID_DOCUMENT_KEY"],
  ["a sort by an operator", { sort: [["$a", 1]] }, "INVALID_DOCUMENT_KEY"],
  ["a field and one inside it", { fields: ["a", "a.b"] }, "INVALID_PROJECTION"],
  ["a field with an operator", { fields: ["a.$"] }, "INVALID_DOCUMENT_KEY"],
];

/** What is refused is refused before it reaches a store, so in the same words by all of them. */
export function describeHostileInput(suite: Suite): void {
  describe("hostile input", () => {
    suite.check("hostile: documents", async () => {
      const collection = await suite.collection();
      for (const [name, document, reason] of documents) {
        const outside = fromOutside<AnyDocument>(document);
        await expectReason(reason, () => collection.insertOne(outside).catch(naming(name)));
        await expectReason(reason, () => collection.insertNew([{ _id: "fine" }, outside]).catch(naming(name)));
      }
      expect(await collection.countDocuments({})).toBe(0);
    });

    suite.check("hostile: filters", async () => {
      const collection = await suite.collection();
      await collection.insertNew([{ _id: 1, a: 1 }]);
      for (const [name, filter, reason] of filters) {
        const outside = fromOutside<Filter>(filter);
        await expectReason(reason, () => collection.find(outside).catch(naming(name)));
        await expectReason(reason, () => collection.countDocuments(outside).catch(naming(name)));
        await expectReason(reason, () => collection.deleteMany(outside).catch(naming(name)));
        await expectReason(reason, () => collection.updateMany(outside, { $set: { b: 1 } }).catch(naming(name)));
      }
      expect(await collection.find({})).toEqual([{ _id: 1, a: 1 }]);
    });

    suite.check("hostile: updates", async () => {
      const collection = await suite.collection();
      await collection.insertNew([{ _id: 1, a: 1 }]);
      for (const [name, update, reason] of updates) {
        const outside = fromOutside<Update>(update);
        await expectReason(reason, () => collection.updateOne({ _id: 1 }, outside).catch(naming(name)));
        await expectReason(reason, () => collection.findOneAndUpdate({ _id: 1 }, outside).catch(naming(name)));
      }
      expect(await collection.find({})).toEqual([{ _id: 1, a: 1 }]);
    });

    suite.check("hostile: options", async () => {
      const collection = await suite.collection();
      for (const [name, value, reason] of options) {
        await expectReason(reason, () => collection.find({}, fromOutside<FindOptions>(value)).catch(naming(name)));
      }
    });

    suite.check("hostile: no prototype is polluted", async () => {
      const collection = await suite.collection();
      await collection.insertOne({ _id: 1 });
      await collection.updateOne({ _id: 1 }, { $set: { "constructor.prototype.polluted": 1 } });
      expect(Object.hasOwn(Object.prototype, "polluted")).toBe(false);
      expect(await collection.findOne({ _id: 1 })).toEqual({ _id: 1, constructor: { prototype: { polluted: 1 } } });
    });

    suite.check("hostile: a sort whose paths lead into different arrays", async () => {
      const collection = await suite.collection();
      await collection.insertNew([
        { _id: 1, a: [1, 2], b: [1, 2] },
        { _id: 2, a: 1, b: 1 },
      ]);
      const sort = [
        ["a", 1],
        ["b", 1],
      ] as const;
      await expectReason("PARALLEL_ARRAYS", () => collection.find({}, { sort }));
    });

    suite.check("hostile: an index whose paths lead into different arrays", async () => {
      const indexed = await suite.collection([
        {
          name: "by_both",
          keys: [
            ["a", 1],
            ["b", 1],
          ],
        },
      ]);
      await expectReason("PARALLEL_ARRAYS", () => indexed.insertOne({ _id: 1, a: [1], b: [1] }));
      expect(await indexed.countDocuments({})).toBe(0);
    });
  });
}

/** Names the case in a failure of the suite. */
function naming(name: string): (error: unknown) => never {
  return (error) => {
    if (error instanceof Error) error.message = `${name}: ${error.message}`;
    throw error;
  };
}
