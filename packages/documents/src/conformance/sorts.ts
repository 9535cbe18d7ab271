import { describe, expect } from "vitest";
import type { IndexSpec } from "../port.ts";
import { type AnyDocument, idsOf, type Suite } from "./context.ts";

/** In ascending order of `a`. */
const ascending: readonly AnyDocument[] = [
  { _id: "00 null", a: null },
  { _id: "01 missing" },
  { _id: "02 negative", a: -2.5 },
  { _id: "03 zero", a: 0 },
  { _id: "04 two", a: 2 },
  { _id: "05 ten", a: 10 },
  { _id: "06 big", a: Number.MAX_SAFE_INTEGER },
  { _id: "07 empty", a: "" },
  { _id: "08 ten as text", a: "10" },
  { _id: "09 upper", a: "B" },
  { _id: "10 lower", a: "a" },
  { _id: "11 accent", a: "é" },
  { _id: "12 private use", a: "\ue000" },
  { _id: "13 beyond the basic plane", a: "\u{1f600}" },
  { _id: "14 false", a: false },
  { _id: "15 true", a: true },
  { _id: "16 before 1970", a: new Date(-1) },
  { _id: "17 after 1970", a: new Date(1) },
];
const shuffled = [7, 3, 12, 0, 17, 9, 5, 14, 1, 11, 16, 2, 8, 13, 4, 10, 6, 15].map((i) => ascending[i] as AnyDocument);
const ids = ascending.map(({ _id }) => _id);

const byA: readonly IndexSpec[] = [
  {
    name: "by_a",
    keys: [
      ["a", 1],
      ["_id", 1],
    ],
  },
];
const byGroup: readonly IndexSpec[] = [
  {
    name: "by_group",
    keys: [
      ["group", 1],
      ["rank", -1],
    ],
  },
  { name: "by_tags", keys: [["tags", 1]] },
];

export function describeSorts(suite: Suite): void {
  describe.each([
    ["without an index", [], []],
    ["with an index", byA, byGroup],
  ] as const)("sorts %s", (_, onA, onGroup) => {
    suite.check("sort: types in order, missing as null", async () => {
      const collection = await suite.collection(onA);
      await collection.insertNew(shuffled);
      const sorted = await idsOf(
        collection,
        {},
        {
          sort: [
            ["a", 1],
            ["_id", 1],
          ],
        },
      );
      expect(sorted).toEqual(ids);
    });

    suite.check("sort: descending is the reverse", async () => {
      const collection = await suite.collection(onA);
      await collection.insertNew(shuffled);
      expect(
        await idsOf(
          collection,
          {},
          {
            sort: [
              ["a", -1],
              ["_id", -1],
            ],
          },
        ),
      ).toEqual(ids.toReversed());
    });

    suite.check("sort: skip and limit cut after sorting", async () => {
      const collection = await suite.collection(onA);
      await collection.insertNew(shuffled);
      const sort = [
        ["a", 1],
        ["_id", 1],
      ] as const;
      expect(await idsOf(collection, {}, { sort, skip: 3, limit: 4 })).toEqual(ids.slice(3, 7));
      expect(await idsOf(collection, {}, { sort, skip: 15, limit: 10 })).toEqual(ids.slice(15));
      expect(await idsOf(collection, {}, { sort, skip: 99 })).toEqual([]);
      expect(await idsOf(collection, {}, { sort, limit: 0 })).toEqual([]);
      const first = await collection.findOne({ a: { $gt: 0 } }, { sort, skip: 1 });
      expect(first?._id).toBe("05 ten");
    });

    suite.check("sort: by several paths in opposite directions, filtered", async () => {
      const collection = await suite.collection(onGroup);
      await collection.insertNew([
        { _id: 1, group: "x", rank: 1, live: true },
        { _id: 2, group: "y", rank: 9, live: true },
        { _id: 3, group: "x", rank: 3, live: false },
        { _id: 4, group: "x", rank: 2, live: true },
        { _id: 5, group: "y", rank: 8, live: true },
      ]);
      const sort = [
        ["group", 1],
        ["rank", -1],
      ] as const;
      expect(await idsOf(collection, {}, { sort })).toEqual([3, 4, 1, 2, 5]);
      expect(await idsOf(collection, { group: "x" }, { sort: [["rank", -1]], limit: 2 })).toEqual([3, 4]);
      expect(await idsOf(collection, { group: "x", live: true }, { sort: [["rank", -1]], limit: 1, skip: 1 })).toEqual([
        1,
      ]);
      expect(await idsOf(collection, { group: { $in: ["y", "x"] } }, { sort: [["rank", 1]], limit: 3 })).toEqual([
        1, 4, 3,
      ]);
    });

    suite.check("sort: an array sorts by its least element, descending by its greatest", async () => {
      const collection = await suite.collection(onGroup);
      await collection.insertNew([
        { _id: "1-9", tags: [9, 1] },
        { _id: "5", tags: 5 },
        { _id: "3-7", tags: [7, 3] },
      ]);
      expect(await idsOf(collection, {}, { sort: [["tags", 1]] })).toEqual(["1-9", "3-7", "5"]);
      expect(await idsOf(collection, {}, { sort: [["tags", -1]] })).toEqual(["1-9", "3-7", "5"]);
      expect(await idsOf(collection, { tags: { $gt: 4 } }, { sort: [["tags", 1]], limit: 2 })).toEqual(["1-9", "3-7"]);
    });

    suite.check("sort: an array found by several elements comes once", async () => {
      const collection = await suite.collection(onGroup);
      await collection.insertNew([
        { _id: 1, tags: ["a", "b", "c"] },
        { _id: 2, tags: ["b"] },
      ]);
      const filter = { tags: { $in: ["a", "b", "c"] } };
      expect(await idsOf(collection, filter, { sort: [["_id", 1]], limit: 2 })).toEqual([1, 2]);
      expect(await idsOf(collection, filter, { limit: 5 })).toHaveLength(2);
      expect(await collection.countDocuments(filter)).toBe(2);
    });
  });

  describe("fields", () => {
    const document = { _id: 1, a: { b: 1, c: 2 }, list: [{ b: 1, c: 2 }, { c: 3 }, 4], d: null };
    suite.check("fields: top-level, dotted, through arrays, _id always", async () => {
      const collection = await suite.collection();
      await collection.insertOne(document);
      const only = (...fields: string[]) => collection.findOne({ _id: 1 }, { fields });
      expect(await only("a")).toEqual({ _id: 1, a: { b: 1, c: 2 } });
      expect(await only("a.b", "d")).toEqual({ _id: 1, a: { b: 1 }, d: null });
      expect(await only("a.z")).toEqual({ _id: 1, a: {} });
      expect(await only("list.b")).toEqual({ _id: 1, list: [{ b: 1 }, {}] });
      expect(await only("nothing")).toEqual({ _id: 1 });
      expect(await only("_id")).toEqual({ _id: 1 });
      expect(await only()).toEqual({ _id: 1 });
    });
  });
}
