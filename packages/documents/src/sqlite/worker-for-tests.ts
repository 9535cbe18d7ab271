import { argv, stdout } from "node:process";
import { openSqliteDocuments } from "./open.ts";

/**
 * A process of its own for the tests: `insert` writes until it is killed and prints each acknowledged id on a line,
 * `close` opens, writes, closes and should then end by itself, `idle` only opens.
 */
const [, , path = "", mode = "", prefix = ""] = argv;
const documents = await openSqliteDocuments({ path });
const collection = await documents.collection<{ _id: string; key: string; tags: string[] }>({
  name: "things",
  indexes: [
    { name: "by_key", keys: [["key", 1]], unique: true },
    { name: "by_tags", keys: [["tags", 1]] },
  ],
});
stdout.write("open\n");

async function insert(caller: number): Promise<never> {
  for (let n = 0; ; n++) {
    const _id = `${prefix}-${caller}-${n}`;
    await collection.insertOne({ _id, key: `key ${_id}`, tags: [prefix, `caller ${caller}`] });
    stdout.write(`${_id}\n`);
  }
}

if (mode === "insert") await Promise.all([0, 1, 2, 3].map(insert));
if (mode === "close") {
  await collection.insertOne({ _id: prefix, key: prefix, tags: [] });
  await documents.close();
}
if (mode === "idle") setInterval(() => undefined, 1000);
