import { createHash, randomBytes } from "node:crypto";
import { readdir } from "node:fs/promises";
import { Readable } from "node:stream";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { isRegistryError } from "@registry/domain";
import { expect, vi } from "vitest";
import type { BlobStat, Blobs } from "../port.ts";

/** What a suite runs against. */
export interface Opened {
  readonly blobs: Blobs;
  /** Whether `presignGet` gives URLs that this process can fetch. */
  readonly presigns: boolean;
  /** Called after `blobs.close()`. */
  readonly release?: () => Promise<void>;
}

export type Store = () => Opened;

/** A folder that no other test uses, with the slash. */
export const freshPrefix = (): string => `conformance/${randomBytes(8).toString("hex")}/`;

export const freshKey = (): string => `${freshPrefix()}object`;

/** A source that gives these bytes in chunks of `chunkBytes`. */
export function sourceOf(bytes: Uint8Array, chunkBytes = 65_536): Readable {
  function* chunks(): Generator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
  }
  return Readable.from(chunks(), { objectMode: false });
}

export const putBytes = (blobs: Blobs, key: string, bytes: Uint8Array): Promise<"created" | "exists"> =>
  blobs.put(key, sourceOf(bytes), { size: bytes.length });

export const readBytes = async (blobs: Blobs, key: string, range = {}): Promise<Buffer> =>
  Buffer.concat(await (await blobs.read(key, range)).toArray());

export async function keysBelow(blobs: Blobs, prefix: string): Promise<string[]> {
  const found: BlobStat[] = await Array.fromAsync(blobs.list(prefix));
  return found.map(({ key }) => key).sort();
}

/** That neither `stat`, `read` nor `list` shows it, and that its key is as good as new. */
export async function expectNothingAt(blobs: Blobs, key: string): Promise<void> {
  expect(await blobs.stat(key)).toBeUndefined();
  expect(await failure(blobs.read(key))).toMatchObject({ kind: "not_found", reason: "BLOB_NOT_FOUND" });
  expect(await keysBelow(blobs, key.slice(0, key.lastIndexOf("/") + 1))).toEqual([]);
  expect(await putBytes(blobs, key, Buffer.from("after"))).toBe("created");
  expect((await readBytes(blobs, key)).toString()).toBe("after");
}

/** Kind and reason of the registry's error that a promise rejects with. */
export async function failure(work: Promise<unknown>): Promise<{ kind: string; reason: string }> {
  const error: unknown = await work.then(
    () => new Error("It did not fail"),
    (thrown: unknown) => thrown,
  );
  if (!isRegistryError(error)) throw error;
  return { kind: error.kind, reason: error.reason };
}

/** Gives `chunks` of `chunkBytes` bytes made up as it goes, and reports how much memory buffers hold meanwhile. */
export function generated(
  chunks: number,
  chunkBytes: number,
): { source: Readable; digest: () => string; peak: MemoryPeak } {
  const hash = createHash("sha256");
  const peak = new MemoryPeak();
  function* make(): Generator<Uint8Array> {
    for (let index = 0; index < chunks; index++) {
      const chunk = Buffer.alloc(chunkBytes, index % 251);
      hash.update(chunk);
      if (index % 32 === 0) peak.sample();
      yield chunk;
    }
  }
  return { source: Readable.from(make(), { objectMode: false }), digest: () => hash.digest("hex"), peak };
}

setFlagsFromString("--expose-gc");
const collect: unknown = runInNewContext("gc");

/** The most bytes that live buffers held at any sample, over what they held at the start. */
export class MemoryPeak {
  readonly #before = liveBytes();
  #most = 0;

  sample(): void {
    this.#most = Math.max(this.#most, liveBytes() - this.#before);
  }

  get bytes(): number {
    return this.#most;
  }
}

function liveBytes(): number {
  if (typeof collect === "function") collect();
  return process.memoryUsage().arrayBuffers;
}

/** Open files and sockets of this process; undefined where the system does not tell. */
export async function openHandles(): Promise<number | undefined> {
  return (await readdir("/proc/self/fd").catch(() => undefined))?.length;
}

/** Waits until a condition holds; fails with the condition's own failure after 10 s. */
export const eventually = (condition: () => Promise<void> | void): Promise<void> =>
  vi.waitFor(condition, { timeout: 10_000, interval: 20 });
