import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execPath } from "node:process";
import { createInterface } from "node:readline";
import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { describeDocuments } from "../conformance.ts";
import type { Collection, Documents } from "../port.ts";
import { openSqliteDocuments } from "./open.ts";

type Thing = { readonly _id: string | number; readonly key?: string; readonly n?: number; readonly tags?: string[] };

describeDocuments("documents on SQLite", async () => {
  const folder = mkdtempSync(join(tmpdir(), "documents-"));
  const path = join(folder, "suite.db");
  const store = {
    documents: await openSqliteDocuments({ path }),
    reopen: async () => {
      await store.documents.close();
      store.documents = await openSqliteDocuments({ path });
      return store.documents;
    },
    cleanup: async () => {
      await store.documents.close();
      rmSync(folder, { recursive: true });
    },
  };
  return store;
});

function newPath(): string {
  const folder = mkdtempSync(join(tmpdir(), "documents-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, "service.db");
}

async function open(path: string): Promise<Documents> {
  const documents = await openSqliteDocuments({ path });
  onTestFinished(() => documents.close());
  return documents;
}

async function things(documents: Documents): Promise<Collection<Thing>> {
  return await documents.collection<Thing>({
    name: "things",
    indexes: [{ name: "by_key", keys: [["key", 1]], unique: true }],
  });
}

function child(path: string, mode: string, prefix: string): ChildProcess {
  const script = join(import.meta.dirname, "worker-for-tests.ts");
  const process = spawn(execPath, [script, path, mode, prefix], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => {
    process.kill("SIGKILL");
  });
  return process;
}

/** Lets the child print that many lines, then kills it. @returns all that it printed */
async function killAfter(process: ChildProcess, lines: number): Promise<string[]> {
  if (process.stdout === null) throw new Error("the child has no output");
  const printed: string[] = [];
  const closed = once(process, "close");
  for await (const line of createInterface({ input: process.stdout })) {
    if (printed.push(line) === lines) process.kill("SIGKILL");
  }
  await closed;
  return printed;
}

/** How many transactions the write-ahead log holds: frames that end one carry the database's size. */
function commitsIn(path: string): number {
  const log = readFileSync(`${path}-wal`);
  const frame = 24 + log.readUInt32BE(8);
  const salt = log.subarray(16, 24);
  let commits = 0;
  for (let at = 32; at + frame <= log.length; at += frame) {
    if (log.subarray(at + 8, at + 16).equals(salt) && log.readUInt32BE(at + 4) > 0) commits += 1;
  }
  return commits;
}

describe("the writer", () => {
  it("commits what waits in one transaction", async () => {
    const path = newPath();
    const collection = await things(await open(path));
    const before = commitsIn(path);
    await Promise.all(Array.from({ length: 500 }, (_, n) => collection.insertOne({ _id: n })));
    const commits = commitsIn(path) - before;
    expect(commits).toBeGreaterThan(0);
    expect(commits).toBeLessThan(10);
    expect(await collection.countDocuments({})).toBe(500);
  });

  it("undoes a failed write alone", async () => {
    const collection = await things(await open(newPath()));
    const outcomes = await Promise.allSettled([
      collection.insertOne({ _id: 1, key: "a" }),
      collection.insertOne({ _id: 2, key: "a" }),
      collection.updateOne({ _id: 1 }, { $inc: { key: 1 } }),
      collection.insertOne({ _id: 3, key: "b" }),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected", "fulfilled"]);
    expect((await collection.find({}, { sort: [["_id", 1]] })).map(({ _id }) => _id)).toEqual([1, 3]);
  });

  it("leaves the event loop free", async () => {
    const collection = await things(await open(newPath()));
    await collection.insertNew(Array.from({ length: 20_000 }, (_, n) => ({ _id: n, key: `key ${n}`, n: 0 })));
    let done = false;
    const update = collection.updateMany({}, { $inc: { n: 1 } }).then(() => {
      done = true;
    });
    for (let turn = 0; turn < 50; turn++) {
      await nextTurn();
      expect(await collection.findOne({ _id: turn })).toMatchObject({ n: 0 });
    }
    expect(done).toBe(false);
    await update;
    expect(await collection.findOne({ _id: 1 })).toMatchObject({ n: 1 });
  });

  it("finishes what was submitted before close, and refuses what comes after", async () => {
    const path = newPath();
    const documents = await open(path);
    const collection = await things(documents);
    const writes = Array.from({ length: 50 }, (_, n) => collection.insertOne({ _id: n }));
    await documents.close();
    await Promise.all(writes);
    await expect(collection.insertOne({ _id: 99 })).rejects.toMatchObject({ kind: "unavailable" });
    await expect(collection.findOne({ _id: 1 })).rejects.toMatchObject({ kind: "unavailable" });
    await expect(documents.ping()).rejects.toMatchObject({ kind: "unavailable" });
    expect(await (await things(await open(path))).countDocuments({})).toBe(50);
  });
});

describe("the file", () => {
  it("holds all that was acknowledged before kill -9, its indexes too", async () => {
    const path = newPath();
    const acknowledged: string[] = [];
    for (const round of ["a", "b", "c"]) {
      const lines = await killAfter(child(path, "insert", round), 2 + Math.floor(Math.random() * 400));
      acknowledged.push(...lines.slice(1));
      const documents = await openSqliteDocuments({ path });
      const collection = await things(documents);
      const found = await collection.find({});
      const ids = new Set(found.map(({ _id }) => _id));
      expect(acknowledged.filter((id) => !ids.has(id))).toEqual([]);
      for (const { _id, key, tags } of found) {
        expect(await collection.findOne({ key: key ?? "" })).toEqual({ _id, key, tags });
      }
      const tagged = found.filter(({ tags }) => tags?.includes(round)).length;
      expect(await collection.countDocuments({ tags: round })).toBe(tagged);
      await documents.close();
    }
    expect(acknowledged.length).toBeGreaterThan(0);
  });

  it("belongs to one opener at a time, until that one closes or is killed", async () => {
    const path = newPath();
    const inUse = { kind: "conflict", reason: "DATA_DIR_IN_USE" };
    const first = await open(path);
    await expect(openSqliteDocuments({ path })).rejects.toMatchObject(inUse);
    await first.close();

    const other = child(path, "idle", "");
    if (other.stdout !== null) await once(other.stdout, "data");
    await expect(openSqliteDocuments({ path })).rejects.toMatchObject(inUse);
    other.kill("SIGKILL");
    await once(other, "close");
    await (await open(path)).ping();
  });

  it("keeps no process alive once closed", async () => {
    const process = child(newPath(), "close", "x");
    expect(await once(process, "exit")).toEqual([0, null]);
  });

  it("is refused with a reason where it cannot be opened", async () => {
    const path = newPath();
    writeFileSync(path, "this is no database, and longer than its header would be ".repeat(20));
    await expect(openSqliteDocuments({ path })).rejects.toMatchObject({ kind: "unavailable" });
    const inside = join(path, "service.db");
    await expect(openSqliteDocuments({ path: inside })).rejects.toMatchObject({ reason: "DATA_DIR_UNUSABLE" });
  });
});
