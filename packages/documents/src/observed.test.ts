import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { describeDocuments } from "./conformance.ts";
import { observeDocuments } from "./observed.ts";
import type { Collection, Document } from "./port.ts";
import { openSqliteDocuments } from "./sqlite/open.ts";

function folder(): { path: string; remove: () => void } {
  const made = mkdtempSync(join(tmpdir(), "observed-documents-"));
  return { path: join(made, "test.db"), remove: () => rmSync(made, { recursive: true, force: true }) };
}

describeDocuments(
  "An observed store",
  async () => {
    const { path, remove } = folder();
    const open = async () => observeDocuments(await openSqliteDocuments({ path }), (_, run) => run());
    const store = {
      documents: await open(),
      reopen: async () => {
        await store.documents.close();
        store.documents = await open();
        return store.documents;
      },
      cleanup: async () => {
        await store.documents.close();
        remove();
      },
    };
    return store;
  },
  { runs: 5 },
);

it("tells of every call by its operation and collection, and of nothing that is in it", async () => {
  const { path, remove } = folder();
  const told: object[] = [];
  const documents = observeDocuments(await openSqliteDocuments({ path }), async (call, run) => {
    told.push(call);
    return await run();
  });
  const spec = { name: "things", indexes: [{ name: "by_n", keys: [["n", 1]] as const }] };
  const things = await documents.collection<Document & { n: number }>(spec);
  expect(await documents.collection(spec)).toBe(things);
  expect(things.name).toBe("things");
  const calls: { [operation in Exclude<keyof Collection<Document>, "name">]: () => Promise<unknown> } = {
    insertOne: () => things.insertOne({ _id: "a", n: 1 }),
    insertNew: () => things.insertNew([{ _id: "b", n: 2 }]),
    findOne: () => things.findOne({ _id: "a" }),
    find: () => things.find({ n: 1 }),
    countDocuments: () => things.countDocuments({ n: 1 }),
    updateOne: () => things.updateOne({ _id: "a" }, { $set: { n: 3 } }),
    updateMany: () => things.updateMany({ n: 3 }, { $set: { n: 4 } }),
    updateEach: () => things.updateEach([{ filter: { _id: "a" }, update: { $inc: { n: 1 } } }]),
    findOneAndUpdate: () => things.findOneAndUpdate({ _id: "a" }, { $set: { n: 5 } }),
    replaceOne: () => things.replaceOne({ _id: "a" }, { _id: "a", n: 6 }),
    deleteOne: () => things.deleteOne({ _id: "a" }),
    deleteMany: () => things.deleteMany({ n: 2 }),
  };
  for (const call of Object.values(calls)) await call();
  expect(told).toEqual(Object.keys(calls).map((operation) => ({ operation, collection: "things" })));
  await documents.close();
  remove();
});
