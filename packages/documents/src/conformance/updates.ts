import { describe, expect } from "vitest";
import type { Update } from "../port.ts";
import { type AnyDocument, expectReason, idsOf, type Suite } from "./context.ts";

type Content = { readonly [field: string]: unknown };
const day = (ms: number): Date => new Date(ms);

const cases: readonly (readonly [name: string, before: Content, update: Update, after: Content])[] = [
  ["$set", { a: 1 }, { $set: { a: 2, b: "x" } }, { a: 2, b: "x" }],
  ["$set dotted makes objects", {}, { $set: { "a.b.c": 1 } }, { a: { b: { c: 1 } } }],
  ["$set keeps neighbours", { a: { b: 1, c: 2 } }, { $set: { "a.b": 3 } }, { a: { b: 3, c: 2 } }],
  [
    "$set takes arrays, objects, dates and null",
    {},
    { $set: { a: [1, { b: day(5) }], n: null } },
    { a: [1, { b: day(5) }], n: null },
  ],
  ["$set at a position", { a: [1, 2, 3] }, { $set: { "a.1": 9 } }, { a: [1, 9, 3] }],
  ["$set inside an element", { a: [{ b: 1 }, { b: 2 }] }, { $set: { "a.1.b": 9 } }, { a: [{ b: 1 }, { b: 9 }] }],
  ["$setOnInsert does nothing to what is there", { a: 1 }, { $setOnInsert: { a: 2 } }, { a: 1 }],
  ["$unset", { a: 1, b: { c: 1, d: 2 } }, { $unset: { a: true, "b.c": true, z: true, "y.z": true } }, { b: { d: 2 } }],
  ["$inc", { a: 1, b: { c: 0.5 } }, { $inc: { a: -3, "b.c": 1, d: 7 } }, { a: -2, b: { c: 1.5 }, d: 7 }],
  ["$inc beyond 32 bits", { a: 2147483647 }, { $inc: { a: 1 } }, { a: 2147483648 }],
  ["$max takes the greater", { a: 5, b: 5 }, { $max: { a: 6, b: 4, c: 1 } }, { a: 6, b: 5, c: 1 }],
  ["$min takes the less", { a: 5, b: 5 }, { $min: { a: 6, b: 4, c: 1 } }, { a: 5, b: 4, c: 1 }],
  ["$max of dates", { a: day(5) }, { $max: { a: day(6) } }, { a: day(6) }],
  ["$max follows the order of types", { a: null, b: day(0) }, { $max: { a: 1, b: 99 } }, { a: 1, b: day(0) }],
  ["$push", { a: [1] }, { $push: { a: 2, b: "x" } }, { a: [1, 2], b: ["x"] }],
  ["$push an object", { a: [] }, { $push: { a: { b: day(1) } } }, { a: [{ b: day(1) }] }],
  ["$push an array is one element", { a: [] }, { $push: { a: [1, 2] } }, { a: [[1, 2]] }],
  ["$push $each", { a: [1] }, { $push: { a: { $each: [2, 3] } } }, { a: [1, 2, 3] }],
  ["$push $each of none", { a: [1] }, { $push: { a: { $each: [] } } }, { a: [1] }],
  ["$addToSet", { a: [1, 2] }, { $addToSet: { a: 2, b: 1 } }, { a: [1, 2], b: [1] }],
  ["$addToSet of objects", { a: [{ b: 1, c: 2 }] }, { $addToSet: { a: { b: 1, c: 2 } } }, { a: [{ b: 1, c: 2 }] }],
  ["$addToSet of another date", { a: [day(1)] }, { $addToSet: { a: day(2) } }, { a: [day(1), day(2)] }],
  ["$pull a scalar", { a: [1, 2, 1, "1", [1]] }, { $pull: { a: 1, z: 1 } }, { a: [2, "1", [1]] }],
  ["$pull null", { a: [null, 0, {}] }, { $pull: { a: null } }, { a: [0, {}] }],
  [
    "$pull by filter",
    { a: [{ b: 1 }, { b: 5 }, { c: 5 }, 5] },
    { $pull: { a: { b: { $gte: 5 } } } },
    { a: [{ b: 1 }, { c: 5 }, 5] },
  ],
  ["$pull by filter on null", { a: [{ b: 1 }, { c: 5 }] }, { $pull: { a: { b: null } } }, { a: [{ b: 1 }] }],
  [
    "several operators",
    { n: 1, l: [1] },
    { $set: { s: "x" }, $inc: { n: 1 }, $push: { l: 2 } },
    { n: 2, l: [1, 2], s: "x" },
  ],
];

/** Not every server that speaks MongoDB's protocol stores them, so they are checked by themselves. */
const nestsArrays = ([, before, , after]: (typeof cases)[number]): boolean =>
  [before, after].some((content) =>
    Object.values(content).some((value) => Array.isArray(value) && value.some((element) => Array.isArray(element))),
  );

const refused: readonly (readonly [name: string, before: Content, update: Update])[] = [
  ["$set inside a scalar", { a: 5 }, { $set: { "a.b": 1 } }],
  ["$set inside null", { a: null }, { $set: { "a.b": 1 } }],
  ["$set of a field of an array", { a: [1] }, { $set: { "a.b": 1 } }],
  ["$inc of a string", { a: "5" }, { $inc: { a: 1 } }],
  ["$inc of null", { a: null }, { $inc: { a: 1 } }],
  ["$push to a scalar", { a: 5 }, { $push: { a: 1 } }],
  ["$addToSet to a scalar", { a: 5 }, { $addToSet: { a: 1 } }],
  ["$pull from a scalar", { a: 5 }, { $pull: { a: 5 } }],
];

export function describeUpdates(suite: Suite): void {
  describe("updates", () => {
    for (const [name, before, update, after] of cases) {
      suite.check(`update: ${name}`, async () => {
        const collection = await suite.collection();
        await collection.insertOne({ _id: "x", ...before });
        const { matchedCount, upsertedId } = await collection.updateOne({ _id: "x" }, update);
        expect({ matchedCount, upsertedId }).toEqual({ matchedCount: 1, upsertedId: undefined });
        expect(await collection.findOne({ _id: "x" })).toEqual({ _id: "x", ...after });
      });
    }

    for (const [name, before, update] of refused) {
      suite.check(`update refused: ${name}`, async () => {
        const collection = await suite.collection();
        await collection.insertOne({ _id: "x", ...before });
        await expectReason("UPDATE_NOT_APPLICABLE", () => collection.updateOne({ _id: "x" }, update));
        expect(await collection.findOne({ _id: "x" })).toEqual({ _id: "x", ...before });
      });
    }

    for (const [name, group] of [
      ["every kind of change", cases.filter((one) => !nestsArrays(one))],
      ["changes of arrays inside arrays", cases.filter(nestsArrays)],
    ] as const) {
      suite.check(`update: indexes follow ${name}`, async () => {
        const paths = ["a", "b", "a.b", "b.c", "a.b.c", "n", "l", "s"];
        const indexed = await suite.collection(paths.map((path, i) => ({ name: `by_${i}`, keys: [[path, 1]] })));
        const plain = await suite.collection();
        const probes = paths.flatMap((path) =>
          [null, -2, 1, 2, 3, 5, 7, 9, 1.5, "x", "1", day(1), day(6)].map((v) => ({ [path]: v })),
        );
        for (const [_id, [, before, update]] of group.entries()) {
          for (const collection of [indexed, plain]) {
            await collection.insertOne({ _id, ...before });
            await collection.updateOne({ _id }, update);
          }
        }
        const inOrder = { sort: [["_id", 1]] } as const;
        for (const probe of probes) {
          expect([probe, await idsOf(indexed, probe, inOrder)]).toEqual([probe, await idsOf(plain, probe, inOrder)]);
        }
      });
    }

    suite.check("update: counts what matched and what changed", async () => {
      const collection = await suite.collection();
      await collection.insertNew([
        { _id: 1, a: 1 },
        { _id: 2, a: 1 },
        { _id: 3, a: 2 },
      ]);
      expect(await collection.updateOne({ a: 9 }, { $set: { b: 1 } })).toEqual({ matchedCount: 0, modifiedCount: 0 });
      expect(await collection.updateOne({ a: 2 }, { $set: { a: 2 } })).toEqual({ matchedCount: 1, modifiedCount: 0 });
      expect(await collection.updateOne({ a: 1 }, { $set: { b: 1 } })).toEqual({ matchedCount: 1, modifiedCount: 1 });
      expect(await collection.updateMany({}, { $set: { b: 1 } })).toEqual({ matchedCount: 3, modifiedCount: 2 });
      expect(await collection.updateMany({}, { $set: {} })).toEqual({ matchedCount: 3, modifiedCount: 0 });
    });

    suite.check("update: updateEach changes each by itself", async () => {
      const collection = await suite.collection();
      await collection.insertNew([1, 2, 3].map((_id) => ({ _id, n: 0, kind: "k" })));
      await collection.updateEach([]);
      await collection.updateEach([
        { filter: { _id: 1 }, update: { $inc: { n: 1 } } },
        { filter: { _id: 1 }, update: { $inc: { n: 1 } } },
        { filter: { _id: 2, n: 9 }, update: { $set: { n: 10 } } },
        { filter: { _id: 4 }, update: { $set: { n: 1 } } },
        { filter: { kind: "k", _id: 3 }, update: { $max: { n: 5 }, $setOnInsert: { late: true } } },
      ]);
      expect((await collection.find({}, { sort: [["_id", 1]] })).map(({ n }) => n)).toEqual([2, 0, 5]);
    });

    suite.check("update: updateEach says that one failed, and what could not be changed stays as it was", async () => {
      const collection = await suite.collection();
      await collection.insertNew([1, 2].map((_id) => ({ _id, text: "x" })));
      const other = { filter: { _id: 1 }, update: { $set: { seen: true } } };
      const unfit = { filter: { _id: 2 }, update: { $inc: { text: 1 } } };
      await expectReason("UPDATE_NOT_APPLICABLE", () => collection.updateEach([unfit, other]));
      expect(await collection.findOne({ _id: 2 })).toEqual({ _id: 2, text: "x" });
      const open = { filter: { text: "c" }, update: { $set: { text: "y" } } };
      await expectReason("INVALID_UPSERT", () => collection.updateEach([other, open], { upsert: true }));
      expect(await collection.countDocuments({})).toBe(2);
    });

    suite.check("update: findOneAndUpdate answers before or after, in order of the sort", async () => {
      const collection = await suite.collection();
      await collection.insertNew([
        { _id: 1, n: 5 },
        { _id: 2, n: 3 },
        { _id: 3, n: 4 },
      ]);
      const least = { sort: [["n", 1]] } as const;
      expect(await collection.findOneAndUpdate({}, { $inc: { n: 10 } }, least)).toEqual({ _id: 2, n: 3 });
      const after = { ...least, returnDocument: "after" } as const;
      expect(await collection.findOneAndUpdate({}, { $inc: { n: 10 } }, after)).toEqual({ _id: 3, n: 14 });
      expect(await collection.findOneAndUpdate({ n: 99 }, { $inc: { n: 1 } })).toBeNull();
    });

    suite.check("update: replaceOne replaces all but _id", async () => {
      const collection = await suite.collection();
      await collection.insertOne({ _id: "x", a: 1, b: 2 });
      const replaced = await collection.replaceOne({ _id: "x", a: 1 }, { _id: "x", c: 3 });
      expect(replaced).toEqual({ matchedCount: 1, modifiedCount: 1 });
      expect(await collection.findOne({ _id: "x" })).toEqual({ _id: "x", c: 3 });
      expect(await collection.replaceOne({ _id: "x", a: 1 }, { _id: "x" })).toEqual({
        matchedCount: 0,
        modifiedCount: 0,
      });
      await expectReason("UPDATE_NOT_APPLICABLE", () => collection.replaceOne({ c: 3 }, { _id: "y" }));
      await expectReason("INVALID_UPSERT", () => collection.replaceOne({ _id: "x" }, { _id: "y" }));
    });
  });
  describeUpserts(suite);
}

function describeUpserts(suite: Suite): void {
  describe("upserts", () => {
    suite.check("upsert: inserts what the filter equals and the update sets", async () => {
      const collection = await suite.collection();
      const filter = { _id: "x", kind: "k", n: { $exists: false }, "deep.path": 1 };
      const update = { $set: { s: 1 }, $setOnInsert: { first: true }, $inc: { n: 2 }, $push: { l: "e" } };
      expect(await collection.updateOne(filter, update, { upsert: true })).toEqual({
        matchedCount: 0,
        modifiedCount: 0,
        upsertedId: "x",
      });
      const inserted: AnyDocument = { _id: "x", kind: "k", deep: { path: 1 }, s: 1, first: true, n: 2, l: ["e"] };
      expect(await collection.findOne({ _id: "x" })).toEqual(inserted);
    });

    suite.check("upsert: updates what is there and leaves $setOnInsert out", async () => {
      const collection = await suite.collection();
      await collection.insertOne({ _id: "x", n: 1 });
      const update = { $inc: { n: 1 }, $setOnInsert: { first: true } };
      expect(await collection.updateOne({ _id: "x" }, update, { upsert: true })).toEqual({
        matchedCount: 1,
        modifiedCount: 1,
      });
      expect(await collection.findOne({ _id: "x" })).toEqual({ _id: "x", n: 2 });
    });

    suite.check("upsert: updateEach inserts what is not there and changes the rest", async () => {
      const collection = await suite.collection();
      await collection.insertOne({ _id: "a", n: 1 });
      const changes = ["a", "b", "c"].map((_id) => ({
        filter: { _id },
        update: { $max: { n: 2 }, $setOnInsert: { first: true } },
      }));
      await collection.updateEach(changes, { upsert: true });
      expect(await collection.find({}, { sort: [["_id", 1]] })).toEqual([
        { _id: "a", n: 2 },
        { _id: "b", n: 2, first: true },
        { _id: "c", n: 2, first: true },
      ]);
    });

    suite.check("upsert: findOneAndUpdate answers null before and the new document after", async () => {
      const collection = await suite.collection();
      const update = { $set: { a: 1 } };
      expect(await collection.findOneAndUpdate({ _id: "x" }, update, { upsert: true })).toBeNull();
      const after = { upsert: true, returnDocument: "after" } as const;
      expect(await collection.findOneAndUpdate({ _id: "y" }, update, after)).toEqual({ _id: "y", a: 1 });
    });

    suite.check("upsert: the id may come by $setOnInsert", async () => {
      const collection = await suite.collection();
      const update = { $setOnInsert: { _id: "given" }, $inc: { n: 1 } };
      for (const n of [1, 2]) {
        await collection.updateOne({ key: "k" }, update, { upsert: true });
        expect(await collection.find({})).toEqual([{ _id: "given", key: "k", n }]);
      }
    });

    suite.check("upsert: replaceOne inserts the replacement", async () => {
      const collection = await suite.collection();
      const upserted = await collection.replaceOne({ _id: "x" }, { _id: "x", a: 1 }, { upsert: true });
      expect(upserted).toEqual({ matchedCount: 0, modifiedCount: 0, upsertedId: "x" });
      expect(await collection.find({})).toEqual([{ _id: "x", a: 1 }]);
    });

    suite.check("upsert: refused where what to insert is not clear", async () => {
      const collection = await suite.collection();
      const upsert = { upsert: true };
      const update = { $set: { b: 1 } };
      await expectReason("INVALID_UPSERT", () => collection.updateOne({ a: 1 }, update, upsert));
      await expectReason("INVALID_UPSERT", () => collection.updateOne({ $or: [{ _id: 1 }] }, update, upsert));
      await expectReason("INVALID_UPSERT", () => collection.updateOne({ _id: 1, a: { $in: [1] } }, update, upsert));
      const twice = { $and: [{ _id: 1, a: 1 }, { a: 2 }] };
      await expectReason("INVALID_UPSERT", () => collection.updateOne(twice, update, upsert));
      expect(await collection.countDocuments({})).toBe(0);
    });
  });
}
