import { describe, expect } from "vitest";
import { DuplicateKeyError } from "../port.ts";
import type { Suite } from "./context.ts";

const callers = 100;

export function describeRaces(suite: Suite): void {
  const many = <R>(call: (caller: number) => Promise<R>): Promise<R[]> =>
    Promise.all(Array.from({ length: callers }, (_, i) => call(i)));

  describe("races", () => {
    suite.check("race: of many compare-and-sets exactly one wins", async () => {
      const collection = await suite.collection();
      await collection.insertOne({ _id: "x", state: "staged" });
      const results = await many((winner) =>
        collection.updateOne({ _id: "x", state: "staged" }, { $set: { state: "published", winner } }),
      );
      const winners = results.flatMap(({ matchedCount }, i) => (matchedCount === 1 ? [i] : []));
      expect(winners).toHaveLength(1);
      expect((await collection.findOne({ _id: "x" }))?.winner).toBe(winners[0]);
    });

    suite.check("race: increments add up", async () => {
      const collection = await suite.collection();
      await collection.insertOne({ _id: "x", n: 0 });
      const seen = await many(() =>
        collection.findOneAndUpdate({ _id: "x" }, { $inc: { n: 1 } }, { returnDocument: "after" }),
      );
      expect(new Set(seen.map((document) => document?.n)).size).toBe(callers);
      expect(await collection.findOne({ _id: "x" })).toEqual({ _id: "x", n: callers });
    });

    suite.check("race: upserts of one id make one document", async () => {
      const collection = await suite.collection();
      await many(() => collection.updateOne({ _id: "x" }, { $inc: { n: 1 } }, { upsert: true }));
      expect(await collection.find({})).toEqual([{ _id: "x", n: callers }]);
    });

    suite.check("race: upserts of the same ids by updateEach make one document each", async () => {
      const collection = await suite.collection();
      const changes = Array.from({ length: 10 }, (_, i) => ({ filter: { _id: i }, update: { $inc: { n: 1 } } }));
      await many(() => collection.updateEach(changes, { upsert: true }));
      expect((await collection.find({})).map(({ n }) => n)).toEqual(changes.map(() => callers));
    });

    suite.check("race: of inserts with one unique key exactly one wins, and neighbours are not harmed", async () => {
      const collection = await suite.collection([{ name: "by_key", keys: [["key", 1]], unique: true }]);
      const outcomes = await many((i) =>
        collection.insertOne({ _id: i, key: i % 2 === 0 ? "same" : `own ${i}` }).then(
          () => "inserted",
          (error: unknown) => (error instanceof DuplicateKeyError ? "duplicate" : String(error)),
        ),
      );
      expect(outcomes.filter((outcome) => outcome === "inserted")).toHaveLength(callers / 2 + 1);
      expect(outcomes.filter((outcome) => outcome === "duplicate")).toHaveLength(callers / 2 - 1);
      expect(await collection.countDocuments({})).toBe(callers / 2 + 1);
    });

    suite.check("race: workers that claim by findOneAndUpdate never share", async () => {
      const collection = await suite.collection([
        {
          name: "by_state",
          keys: [
            ["state", 1],
            ["_id", 1],
          ],
        },
      ]);
      await collection.insertNew(Array.from({ length: callers / 2 }, (_, i) => ({ _id: i, state: "open" })));
      const claimed = await many((worker) =>
        collection.findOneAndUpdate({ state: "open" }, { $set: { state: "taken", worker } }, { sort: [["_id", 1]] }),
      );
      const ids = claimed.flatMap((document) => (document === null ? [] : [document._id]));
      expect(new Set(ids).size).toBe(callers / 2);
      expect(ids).toHaveLength(callers / 2);
    });
  });
}
