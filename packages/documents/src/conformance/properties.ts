import { isRegistryError } from "@registry/domain";
import fc from "fast-check";
import { Query } from "mingo";
import { update as mingoUpdate } from "mingo/updater";
import { describe, expect } from "vitest";
import type { Collection, Filter, Id, IndexSpec, Sort, Update } from "../port.ts";
import { allFilters, bodies, filters, sorts, updates } from "./arbitraries.ts";
import { type AnyDocument, idsOf, type Suite } from "./context.ts";

const indexes: readonly IndexSpec[] = [
  { name: "by_a", keys: [["a", 1]] },
  {
    name: "by_b_c",
    keys: [
      ["b", -1],
      ["c", 1],
    ],
  },
  {
    name: "by_c_d",
    keys: [
      ["c", 1],
      ["d", -1],
    ],
  },
  {
    name: "by_bx_by",
    keys: [
      ["b.x", 1],
      ["b.y", 1],
    ],
  },
  {
    name: "by_d_id",
    keys: [
      ["d", 1],
      ["_id", 1],
    ],
  },
];

async function refill(collection: Collection<AnyDocument>, contents: readonly object[]): Promise<AnyDocument[]> {
  await collection.deleteMany({});
  const documents = contents.map((content, _id) => ({ _id, ...structuredClone(content) }));
  await collection.insertNew(documents);
  return documents;
}

function queryOf(filter: Filter): Query<AnyDocument> {
  return new Query<AnyDocument>(filter as ConstructorParameters<typeof Query<AnyDocument>>[0], {});
}

function expected(documents: readonly AnyDocument[], filter: Filter): AnyDocument[] {
  const query = queryOf(filter);
  return documents.filter((document) => query.test(document));
}

function window(documents: AnyDocument[], filter: Filter, sort: Sort, skip: number, limit: number): Id[] {
  const cursor = queryOf(filter).find<AnyDocument>(documents).sort(Object.fromEntries(sort));
  return cursor
    .all()
    .slice(skip, skip + limit)
    .map(({ _id }) => _id);
}

export function describeProperties(suite: Suite): void {
  describeIndexes(suite);
  describe.each([
    ["without indexes", []],
    ["with indexes", indexes],
  ] as const)("random cases %s", (_, specs) => {
    suite.check("random: filters find what the reference finds", async () => {
      const collection = await suite.collection(specs);
      await fc.assert(
        fc.asyncProperty(bodies, fc.array(filters, { minLength: 1, maxLength: 6 }), async (contents, tried) => {
          const documents = await refill(collection, contents);
          for (const filter of tried) {
            const ids = expected(documents, filter).map(({ _id }) => _id);
            expect((await idsOf(collection, filter)).sort()).toEqual(ids.sort());
            expect(await collection.countDocuments(filter)).toBe(ids.length);
          }
        }),
        { numRuns: suite.runs },
      );
    });

    suite.check("random: sorts, skips and limits cut what the reference cuts", async () => {
      const collection = await suite.collection(specs);
      const small = fc.nat({ max: 6 });
      await fc.assert(
        fc.asyncProperty(bodies, filters, sorts, small, small, async (contents, filter, sort, skip, limit) => {
          const documents = await refill(collection, contents);
          const ids = window(documents, filter, sort, skip, limit + 1);
          expect(await idsOf(collection, filter, { sort, skip, limit: limit + 1 })).toEqual(ids);
        }),
        { numRuns: suite.runs },
      );
    });

    suite.check("random: updates leave what the reference leaves, and the indexes true to it", async () => {
      const collection = await suite.collection(specs);
      await fc.assert(
        fc.asyncProperty(bodies, fc.array(updates, { maxLength: 3 }), filters, async (contents, steps, filter) => {
          const documents = await refill(collection, contents);
          for (const update of steps) await updateBoth(collection, documents, update);
          expect(await collection.find({}, { sort: [["_id", 1]] })).toEqual(documents);
          const ids = expected(documents, filter).map(({ _id }) => _id);
          expect((await idsOf(collection, filter)).sort()).toEqual(ids.sort());
        }),
        { numRuns: suite.runs },
      );
    });
  });
}

function describeIndexes(suite: Suite): void {
  describe("random cases with and without indexes", () => {
    suite.check("random: an index changes no result", async () => {
      const plain = await suite.collection();
      const indexed = await suite.collection(indexes);
      await fc.assert(
        fc.asyncProperty(
          bodies,
          fc.array(allFilters, { minLength: 1, maxLength: 6 }),
          sorts,
          async (contents, tried, sort) => {
            await refill(plain, contents);
            await refill(indexed, contents);
            for (const filter of tried) {
              expect(await idsOf(indexed, filter, { sort })).toEqual(await idsOf(plain, filter, { sort }));
              expect(await indexed.countDocuments(filter)).toBe(await plain.countDocuments(filter));
            }
          },
        ),
        { numRuns: suite.runs },
      );
    });
  });
}

/** Where the store refuses an update because of a document's content, the reference is left alone too. */
async function updateBoth(
  collection: Collection<AnyDocument>,
  documents: AnyDocument[],
  update: Update,
): Promise<void> {
  for (const document of documents) {
    try {
      await collection.updateOne({ _id: document._id }, update);
    } catch (error) {
      if (isRegistryError(error) && error.reason === "UPDATE_NOT_APPLICABLE") continue;
      throw error;
    }
    mingoUpdate(document, structuredClone(update) as Parameters<typeof mingoUpdate>[1], [], {}, { cloneMode: "deep" });
  }
}
