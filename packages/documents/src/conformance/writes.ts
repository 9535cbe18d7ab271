import { describe, expect } from "vitest";
import { type AnyDocument, duplicateIndexOf, fromOutside, type Suite } from "./context.ts";

export function describeWrites(suite: Suite): void {
  describe("writes", () => {
    suite.check("write: what goes in comes out", async () => {
      const collection = await suite.collection();
      const document: AnyDocument = fromOutside({
        _id: "schlüssel/☃\u{1f600}",
        text: "line\nbreak \u0000 nul \u2028 é \u{1f600}",
        numbers: [0, -1, 0.1, 1e300, 5e-324, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 2 ** 31, -(2 ** 31) - 1],
        dates: [new Date(0), new Date(-1), new Date(1.7e12), new Date("0001-01-01T00:00:00.000Z")],
        nested: { empty: {}, list: [[], [[1]], { ключ: null }], yes: true, no: false },
        "key with spaces": 1,
        constructor: "c",
        toString: 1,
        date: "$date",
      });
      await collection.insertOne(document);
      expect(await collection.findOne({ _id: document._id })).toEqual(document);
      expect(await collection.findOne(fromOutside({ constructor: "c", "nested.yes": true }))).toEqual(document);
      expect(await collection.countDocuments({ numbers: Number.MAX_SAFE_INTEGER })).toBe(1);
      expect(await collection.countDocuments({ numbers: Number.MAX_SAFE_INTEGER - 1 })).toBe(0);
      expect(await collection.countDocuments(fromOutside({ hasOwnProperty: { $exists: true } }))).toBe(0);
    });

    suite.check("write: undefined fields are dropped and negative zero is zero", async () => {
      const collection = await suite.collection();
      await collection.insertOne({ _id: 1, a: undefined, b: { c: undefined, d: -0 } });
      const found = await collection.findOne({ _id: 1 });
      expect(found).toStrictEqual({ _id: 1, b: { d: 0 } });
    });

    suite.check("write: later changes of the caller's object do not reach the store", async () => {
      const collection = await suite.collection();
      const document = { _id: 1, list: [1] };
      const written = collection.insertOne(document);
      document.list.push(2);
      await written;
      expect(await collection.findOne({ _id: 1 })).toEqual({ _id: 1, list: [1] });
    });

    suite.check("write: a document of 1 MB", async () => {
      const collection = await suite.collection();
      const document = {
        _id: 1,
        text: "ä".repeat(250_000),
        list: Array.from({ length: 20_000 }, (_, i) => ({ i, even: i % 2 === 0 })),
      };
      await collection.insertOne(document);
      await collection.updateOne({ _id: 1 }, { $push: { list: { i: -1, even: false } } });
      const found = await collection.findOne({ "list.i": -1 });
      expect(found).toEqual({ ...document, list: [...document.list, { i: -1, even: false }] });
    });

    suite.check("write: deleteOne and deleteMany count what they delete", async () => {
      const collection = await suite.collection([{ name: "by_a", keys: [["a", 1]] }]);
      await collection.insertNew(Array.from({ length: 9 }, (_, i) => ({ _id: i, a: i % 3 })));
      expect(await collection.deleteOne({ a: 1 })).toBe(1);
      expect(await collection.deleteMany({ a: 1 })).toBe(2);
      expect(await collection.deleteMany({ a: 1 })).toBe(0);
      expect(await collection.countDocuments({})).toBe(6);
      expect(await collection.countDocuments({ a: 1 })).toBe(0);
      expect(await collection.deleteMany({})).toBe(6);
    });

    suite.check("write: survives reopening, with its indexes", async () => {
      const spec = { name: "reopened", indexes: [{ name: "by_key", keys: [["key", 1]], unique: true }] } as const;
      const store = suite.store();
      const before = await store.documents.collection<AnyDocument>(spec);
      await before.insertNew([
        { _id: 1, key: "a", at: new Date(7) },
        { _id: 2, key: ["b", "c"] },
      ]);
      const after = await (await store.reopen()).collection<AnyDocument>(spec);
      expect(await after.find({ key: { $in: ["a", "c"] } }, { sort: [["_id", 1]] })).toEqual([
        { _id: 1, key: "a", at: new Date(7) },
        { _id: 2, key: ["b", "c"] },
      ]);
      expect(await duplicateIndexOf(after.insertOne({ _id: 3, key: "c" }))).toBe("by_key");
    });
  });
}
