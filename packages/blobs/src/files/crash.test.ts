import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { failure, putBytes, readBytes, sourceOf } from "../conformance.ts";
import { openBlobs } from "../open.ts";
import { openFileBlobs } from "./open.ts";

describe("The file store", () => {
  let directory = "";
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "blobs-"));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));
  const temporary = (): Promise<string[]> => readdir(join(directory, ".tmp"));

  it("has nothing of a put whose process was killed, and its remains are gone at the next opening", async () => {
    const child = fork(join(import.meta.dirname, "testing", "worker-writing.ts"), [directory]);
    const exit = once(child, "exit");
    await once(child, "message");
    expect(await temporary()).toHaveLength(1);
    child.kill("SIGKILL");
    await exit;
    const blobs = await openFileBlobs({ directory });
    expect(await temporary()).toEqual([]);
    expect(await Array.fromAsync(blobs.list(""))).toEqual([]);
    expect(await putBytes(blobs, "killed/object", Buffer.from("x"))).toBe("created");
  });

  it("leaves what a living writer is at when another opens the same directory", async () => {
    const one = await openFileBlobs({ directory });
    const source = new PassThrough();
    const writing = one.put("slow/object", source, { size: 100_001 });
    source.write(Buffer.alloc(100_000));
    await once(source, "drain");
    const two = await openFileBlobs({ directory });
    source.end("!");
    expect(await writing).toBe("created");
    expect(await readBytes(two, "slow/object")).toHaveLength(100_001);
    expect(await temporary()).toEqual([]);
  });

  it("removes what another machine left a day ago, and keeps what it may still be writing", async () => {
    await openFileBlobs({ directory });
    const name = (last: string): string => `0123456789ab.1.00000000-0000-4000-8000-00000000000${last}`;
    await writeFile(join(directory, ".tmp", name("1")), "old");
    await writeFile(join(directory, ".tmp", name("2")), "new");
    const yesterday = new Date(Date.now() - 25 * 60 * 60 * 1000);
    await utimes(join(directory, ".tmp", name("1")), yesterday, yesterday);
    await openFileBlobs({ directory });
    expect(await temporary()).toEqual([name("2")]);
    await openFileBlobs({ directory, now: () => new Date(Date.now() + 25 * 60 * 60 * 1000) });
    expect(await temporary()).toEqual([]);
  });

  it("leaves no temporary files, whatever becomes of a put", async () => {
    const blobs = await openFileBlobs({ directory });
    await Promise.all(Array.from({ length: 10 }, () => putBytes(blobs, "same/key", Buffer.alloc(1000))));
    await failure(blobs.put("other/key", sourceOf(Buffer.alloc(10)), { size: 11 }));
    await blobs.ping();
    expect(await temporary()).toEqual([]);
  });

  it("leaves no empty folders behind deleted and moved objects", async () => {
    const blobs = await openFileBlobs({ directory });
    await putBytes(blobs, "a/b/c/one", Buffer.from("1"));
    await putBytes(blobs, "a/two", Buffer.from("2"));
    await blobs.move("a/b/c/one", "d/e/one");
    await blobs.delete("d/e/one");
    expect((await readdir(directory, { recursive: true })).sort()).toEqual([".tmp", "a", "a/two"]);
  });

  it("refuses a key that is another one's folder", async () => {
    const blobs = await openFileBlobs({ directory });
    await putBytes(blobs, "a/b", Buffer.from("x"));
    const expected = { kind: "conflict", reason: "BLOB_KEY_CONFLICT" };
    expect(await failure(putBytes(blobs, "a/b/c", Buffer.from("x")))).toEqual(expected);
    expect(await blobs.stat("a/b/c")).toBeUndefined();
    expect(await blobs.stat("a")).toBeUndefined();
    expect(await failure(blobs.read("a"))).toMatchObject({ reason: "BLOB_NOT_FOUND" });
    expect(await blobs.delete("a")).toBe(false);
    expect(await Array.fromAsync(blobs.list("a/b/"))).toEqual([]);
  });

  it("is away where its directory is none", async () => {
    await writeFile(join(directory, "file"), "");
    const opening = openFileBlobs({ directory: join(directory, "file", "blobs") });
    expect(await failure(opening)).toMatchObject({ kind: "unavailable" });
    const blobs = await openFileBlobs({ directory: join(directory, "blobs") });
    await rm(join(directory, "blobs"), { recursive: true });
    expect(await failure(blobs.ping())).toMatchObject({ kind: "unavailable" });
    expect(await failure(putBytes(blobs, "a/b", Buffer.from("x")))).toMatchObject({ kind: "unavailable" });
  });

  it("is what a process gets that was told of no S3 server", async () => {
    const blobs = await openBlobs({ dataDir: directory });
    await putBytes(blobs, "a/b", Buffer.from("x"));
    expect((await readdir(join(directory, "blobs"))).sort()).toEqual([".tmp", "a"]);
    expect(await blobs.presignGet("a/b", { expiresSeconds: 1 })).toBeUndefined();
  });
});
