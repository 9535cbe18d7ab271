import { createReadStream } from "node:fs";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Blobs } from "@registry/blobs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { noise, pluginFiles, zipOf } from "./testing/packages.ts";
import { Stack } from "./testing/stack.ts";

const MiB = 1024 * 1024;
let stack: Stack;
let folder: string;
let path: string;
let size: number;
let takenFromStore = 0;

/** Counts what the service takes out of the store. */
const counting = (blobs: Blobs): Blobs =>
  new Proxy(blobs, {
    get: (object, property) => {
      const value: unknown = Reflect.get(object, property, object);
      if (typeof value !== "function") return value;
      if (property !== "read") return value.bind(object);
      return async (...args: Parameters<Blobs["read"]>): Promise<Readable> => {
        const stream = await object.read(...args);
        const count = (chunk: Buffer): void => {
          takenFromStore += chunk.length;
        };
        return stream.on("data", count).pause();
      };
    },
  });

beforeAll(async () => {
  stack = await Stack.start({ wrap: counting });
  folder = await mkdtemp(join(tmpdir(), "storage-large-"));
  path = join(folder, "large.zip");
  await writeFile(path, zipOf(pluginFiles({ extra: { "data.bin": noise(50 * MiB - 10_000) } }), 0));
  size = (await stat(path)).size;
});
afterAll(async () => {
  await stack.close();
  await rm(folder, { recursive: true });
});

setFlagsFromString("--expose-gc");
const collectHeap = runInNewContext("gc") as () => void;

/** What this process holds, without what only waits to be freed; that is given back in the turns after. */
async function held(): Promise<number> {
  for (let turn = 0; turn < 3; turn++) {
    collectHeap();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Looks at the memory now and then while chunks pass. */
class Watch {
  readonly #before: number;
  #passed = 0;
  looks = 0;
  growth = 0;

  private constructor(before: number) {
    this.#before = before;
  }

  static async start(): Promise<Watch> {
    return new Watch(await held());
  }

  async pass(): Promise<void> {
    if (++this.#passed % 100 !== 0) return;
    this.looks++;
    this.growth = Math.max(this.growth, (await held()) - this.#before);
  }
}

async function* fromDisk(watch?: Watch) {
  yield { part: { $case: "header" as const, value: { size, sha256: "" } } };
  for await (const value of createReadStream(path, { highWaterMark: 256 * 1024 })) {
    await watch?.pass();
    yield { part: { $case: "chunk" as const, value } };
  }
}

async function put(watch?: Watch): Promise<string> {
  const { upload } = await stack.storage.uploadPackage(fromDisk(watch), { ...stack.asPublisher(), timeoutMs: 60_000 });
  return await stack.commit(upload?.id ?? "");
}

it("packages of the largest size pass through without being held", async () => {
  expect(size).toBeGreaterThan(49 * MiB);
  const uploading = await Watch.start();
  const [sha256 = ""] = await Promise.all([put(uploading), put(uploading), put(uploading)]);
  expect(uploading.looks).toBeGreaterThan(4);
  expect(uploading.growth).toBeLessThan(15 * MiB);

  const reading = await Watch.start();
  const readers = Array.from({ length: 6 }, async () => {
    let bytes = 0;
    for await (const { part } of stack.storage.readBlob({ sha256 }, stack.asService("gateway"))) {
      if (part?.$case === "chunk") bytes += part.value.length;
      await reading.pass();
    }
    expect(bytes).toBe(size);
  });
  await Promise.all(readers);
  expect(reading.looks).toBeGreaterThan(8);
  expect(reading.growth).toBeLessThan(25 * MiB);
});

it("a slow reader gets no more read for it than it takes", async () => {
  const sha256 = await put();
  takenFromStore = 0;
  let taken = 0;
  for await (const { part } of stack.storage.readBlob({ sha256 }, stack.asService("gateway"))) {
    if (part?.$case !== "chunk") continue;
    taken += part.value.length;
    await new Promise((resolve) => setImmediate(resolve));
    expect(takenFromStore - taken).toBeLessThan(2 * MiB);
  }
  expect(taken).toBe(size);
});
