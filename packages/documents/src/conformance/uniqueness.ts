import { describe, expect } from "vitest";
import type { IndexSpec } from "../port.ts";
import { type AnyDocument, duplicateIndexOf, expectReason, idsOf, type Suite } from "./context.ts";

const unique = (name: string, ...paths: string[]): IndexSpec => ({
  name,
  keys: paths.map((path) => [path, 1] as const),
  unique: true,
});

export function describeUniqueness(suite: Suite): void {
  describeArrays(suite);
  describeIndexes(suite);
  describe("unique indexes", () => {
    suite.check("unique: updateEach names the index that one of its changes met", async () => {
      const collection = await suite.collection([{ name: "by_key", keys: [["key", 1]], unique: true }]);
      await collection.insertNew(["a", "b"].map((key) => ({ _id: key, key })));
      const taken = { filter: { _id: "b" }, update: { $set: { key: "a" } } };
      const other = { filter: { _id: "a" }, update: { $set: { seen: true } } };
      await expect(collection.updateEach([other, taken])).rejects.toMatchObject({
        name: "DuplicateKeyError",
        index: "by_key",
      });
      expect(await collection.findOne({ _id: "b" })).toEqual({ _id: "b", key: "b" });
    });

    suite.check("unique: _id", async () => {
      const collection = await suite.collection();
      await collection.insertOne({ _id: "x", a: 1 });
      expect(await duplicateIndexOf(collection.insertOne({ _id: "x", a: 2 }))).toBe("_id_");
      expect(await collection.find({})).toEqual([{ _id: "x", a: 1 }]);
    });

    suite.check("unique: a path, by insert, update and replacement", async () => {
      const collection = await suite.collection([unique("by_email", "email")]);
      await collection.insertNew([
        { _id: 1, email: "a" },
        { _id: 2, email: "b" },
      ]);
      expect(await duplicateIndexOf(collection.insertOne({ _id: 3, email: "a" }))).toBe("by_email");
      expect(await duplicateIndexOf(collection.updateOne({ _id: 2 }, { $set: { email: "a" } }))).toBe("by_email");
      expect(await duplicateIndexOf(collection.replaceOne({ _id: 2 }, { _id: 2, email: "a" }))).toBe("by_email");
      expect(await duplicateIndexOf(collection.findOneAndUpdate({ _id: 2 }, { $set: { email: "a" } }))).toBe(
        "by_email",
      );
      expect(await idsOf(collection, { email: "b" })).toEqual([2]);
      expect(await collection.deleteOne({ _id: 1 })).toBe(1);
      await collection.updateOne({ _id: 2 }, { $set: { email: "a" } });
    });

    suite.check("unique: documents that lack the path do not collide", async () => {
      const collection = await suite.collection([unique("by_email", "email")]);
      expect(await collection.insertNew([{ _id: 1 }, { _id: 2 }, { _id: 3, other: 1 }])).toEqual([0, 1, 2]);
      expect(await collection.countDocuments({ email: null })).toBe(3);
    });

    suite.check("unique: compound, where documents that lack all paths do not collide", async () => {
      const collection = await suite.collection([unique("by_both", "name", "version")]);
      const inserted = await collection.insertNew([
        { _id: 1, name: "a", version: "1" },
        { _id: 2, name: "a", version: "2" },
        { _id: 3, name: "b", version: "1" },
        { _id: 4 },
        { _id: 5 },
      ]);
      expect(inserted).toEqual([0, 1, 2, 3, 4]);
      expect(await duplicateIndexOf(collection.insertOne({ _id: 6, name: "a", version: "2" }))).toBe("by_both");
    });

    suite.check("unique: compound, where one path is missing", async () => {
      const collection = await suite.collection([unique("by_both", "name", "version")]);
      await collection.insertOne({ _id: 1, name: "a" });
      expect(await duplicateIndexOf(collection.insertOne({ _id: 2, name: "a" }))).toBe("by_both");
    });

    suite.check("unique: insertNew skips what collides and says what it took", async () => {
      const collection = await suite.collection([unique("by_key", "key")]);
      await collection.insertOne({ _id: "old", key: "k" });
      const batch = [
        { _id: "1", key: "a" },
        { _id: "old", key: "b" },
        { _id: "2", key: "k" },
        { _id: "3", key: "c" },
        { _id: "4", key: "a" },
      ];
      expect(await collection.insertNew(batch)).toEqual([0, 3]);
      expect(await collection.insertNew(batch)).toEqual([]);
      expect(await collection.insertNew([])).toEqual([]);
      expect((await idsOf(collection, {})).sort()).toEqual(["1", "3", "old"]);
    });
  });
}

function describeArrays(suite: Suite): void {
  describe("unique indexes on arrays", () => {
    suite.check("unique: an element may come twice within one document", async () => {
      const collection = await suite.collection([unique("by_alias", "aliases")]);
      await collection.insertOne({ _id: 1, aliases: ["a", "b", "a"] });
      expect(await idsOf(collection, { aliases: "a" })).toEqual([1]);
    });

    suite.check("unique: elements of arrays", async () => {
      const collection = await suite.collection([unique("by_alias", "aliases")]);
      await collection.insertOne({ _id: 1, aliases: ["a", "b"] });
      expect(await duplicateIndexOf(collection.insertOne({ _id: 2, aliases: ["c", "b"] }))).toBe("by_alias");
      expect(await idsOf(collection, { aliases: "b" })).toEqual([1]);
      expect(await idsOf(collection, { aliases: "c" })).toEqual([]);
    });

    suite.check("unique: an element that was removed is free", async () => {
      const collection = await suite.collection([unique("by_alias", "aliases")]);
      await collection.insertOne({ _id: 1, aliases: ["a", "b"] });
      await collection.updateOne({ _id: 1 }, { $pull: { aliases: "b" } });
      await collection.insertOne({ _id: 2, aliases: ["c", "b"] });
      expect(await idsOf(collection, { aliases: "b" })).toEqual([2]);
    });

    suite.check("unique: a path into objects of an array", async () => {
      const collection = await suite.collection([unique("by_event", "events.id")]);
      await collection.insertOne({ _id: 1, events: [{ id: "e1" }, { id: "e2" }] });
      expect(await duplicateIndexOf(collection.insertOne({ _id: 2, events: [{ id: "e2" }] }))).toBe("by_event");
      await collection.insertNew([
        { _id: 3, events: [] },
        { _id: 4, events: [] },
      ]);
      expect(await collection.countDocuments({})).toBe(3);
    });
  });
}

function describeIndexes(suite: Suite): void {
  describe("indexes", () => {
    suite.check("index: added to what is there, and refused with other keys", async () => {
      const { documents } = suite.store();
      const plain = await documents.collection<AnyDocument>({ name: "grown", indexes: [] });
      await plain.insertNew([
        { _id: 1, a: [1, 2] },
        { _id: 2, a: 2 },
      ]);
      const grown = await documents.collection<AnyDocument>({
        name: "grown",
        indexes: [{ name: "by_a", keys: [["a", 1]] }],
      });
      expect(await grown.countDocuments({ a: 2 })).toBe(2);
      const other = { name: "grown", indexes: [{ name: "by_a", keys: [["b", 1]] }] } as const;
      await expectReason("INDEX_CONFLICT", () => documents.collection<AnyDocument>(other));
    });

    suite.check("index: a unique one is refused where documents collide", async () => {
      const { documents } = suite.store();
      const plain = await documents.collection<AnyDocument>({ name: "colliding", indexes: [] });
      await plain.insertNew([
        { _id: 1, a: 1 },
        { _id: 2, a: 1 },
      ]);
      const indexes = [unique("by_a", "a")];
      expect(await duplicateIndexOf(documents.collection<AnyDocument>({ name: "colliding", indexes }))).toBe("by_a");
    });
  });
}
