import type { UploadPackageRequest } from "@registry/contracts/storage";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Fuse } from "./testing/fuse.ts";
import { messagesOf, noise, pluginFiles, sha256Of, zipOf } from "./testing/packages.ts";
import { reasonOf, Stack } from "./testing/stack.ts";

type Part = { readonly part: NonNullable<UploadPackageRequest["part"]> };

const limit = 300_000;
let stack: Stack;
let before: readonly string[];
beforeAll(async () => {
  stack = await Stack.start({ config: { LIMIT_PACKAGE_BYTES: limit } });
  await stack.publish(zipOf(pluginFiles({ name: "first" })));
});
afterAll(() => stack.close());
beforeEach(async () => {
  before = await stack.everything();
});
afterEach(async () => {
  expect(await stack.everything()).toEqual(before);
});

const send = (messages: AsyncIterable<Part>, signal?: AbortSignal): Promise<unknown> =>
  stack.storage.uploadPackage(messages, { ...stack.asPublisher(), signal });

async function* parts(...all: readonly Part["part"][]): AsyncGenerator<Part> {
  for (const part of all) yield { part };
}

const header = (size = 0, sha256 = ""): Part["part"] => ({ $case: "header", value: { size, sha256 } });
const chunk = (value: Uint8Array): Part["part"] => ({ $case: "chunk", value });

describe("what is refused leaves nothing behind:", () => {
  const honest = zipOf(pluginFiles());

  it("a stream out of order", async () => {
    expect(await reasonOf(send(parts()))).toBe("HEADER_MISSING");
    expect(await reasonOf(send(parts(chunk(honest))))).toBe("HEADER_MISSING");
    expect(await reasonOf(send(parts(header(), header())))).toBe("INVALID_CHUNK");
    expect(await reasonOf(send(parts(header(), chunk(noise(1024 * 1024 + 1)))))).toBe("INVALID_CHUNK");
    expect(await reasonOf(send(parts(header(-1))))).toBe("INVALID_SIZE");
    expect(await reasonOf(send(parts(header(0, "ABC"))))).toBe("INVALID_DIGEST");
  });

  it("a broken promise", async () => {
    expect(await reasonOf(stack.upload(honest, { size: honest.length + 1 }))).toBe("SIZE_MISMATCH");
    expect(await reasonOf(stack.upload(honest, { size: honest.length - 1 }))).toBe("SIZE_MISMATCH");
    expect(await reasonOf(stack.upload(honest, { sha256: sha256Of(noise(10)) }))).toBe("DIGEST_MISMATCH");
  });

  it("too much, announced or not, before more of it is taken", async () => {
    expect(await reasonOf(send(parts(header(limit + 1))))).toBe("PACKAGE_TOO_LARGE");
    let sent = 0;
    async function* endless(): AsyncGenerator<Part> {
      yield { part: header() };
      for (; sent < 1000; sent++) yield { part: chunk(noise(10_000)) };
    }
    expect(await reasonOf(send(endless()))).toBe("PACKAGE_TOO_LARGE");
    expect(sent).toBeLessThan(limit / 10_000 + 5);
  });

  it("what is no package", async () => {
    expect(await reasonOf(stack.upload(Buffer.alloc(0)))).toBe("UNSUPPORTED_ARCHIVE");
    expect(await reasonOf(stack.upload(noise(5000)))).toMatch(/^[A-Z_]+$/);
    expect(await reasonOf(stack.upload(honest.subarray(0, honest.length - 30)))).toBe("ZIP_END_RECORD");
    const { LICENSE: _, ...unlicensed } = pluginFiles();
    expect(await reasonOf(stack.upload(zipOf(unlicensed)))).toBe("MISSING_FILE");
  });

  it("what its sender gives up, at any chunk", async () => {
    async function* broken(after: number): AsyncGenerator<Part> {
      let count = 0;
      for await (const message of messagesOf(honest, { chunkBytes: 200 })) {
        if (count++ === after) throw new Error("the sender broke off");
        yield message as Part;
      }
    }
    for (const after of [0, 1, 3]) expect(await reasonOf(send(broken(after)))).toBe("UPLOAD_BROKEN_OFF");
  });

  it("what its caller cancels, though the sender stalls", async () => {
    const controller = new AbortController();
    async function* stalled(): AsyncGenerator<Part> {
      yield { part: header() };
      yield { part: chunk(honest) };
      controller.abort();
      await new Promise(() => undefined);
    }
    expect(await reasonOf(send(stalled(), controller.signal))).toBe("CANCELLED");
    await expect.poll(() => stack.localFiles()).toEqual([]);
  });

  it("what a user without the right sends", async () => {
    const as = { ...stack.asService("gateway") };
    expect(await reasonOf(stack.storage.uploadPackage(messagesOf(honest), as))).toBe("PERMISSION_DENIED");
    expect(await reasonOf(stack.storage.uploadPackage(messagesOf(honest), {}))).toBe("INVALID_CREDENTIAL");
  });
});

describe("a store that fails while a package is staged", () => {
  it.each(["before", "after"] as const)("leaves nothing when it fails %s it did its part", async (moment) => {
    const fuse = new Fuse();
    const own = await Stack.start({ fuse });
    const empty = await own.everything();
    let step = 0;
    do {
      fuse.arm(++step, moment);
      expect(await reasonOf(own.upload(zipOf(pluginFiles())))).toBe(fuse.isBlown ? "UNAVAILABLE" : "none");
      fuse.disarm();
      if (fuse.isBlown) expect(await own.everything()).toEqual(empty);
    } while (fuse.isBlown);
    expect(step).toBe(4);
    await own.close();
  });
});

describe("an inspection that takes too long", () => {
  it("refuses the package and lets the next one pass", async () => {
    const own = await Stack.start({ config: { INSPECTION_WORKERS: 1 } });
    const slow = await Stack.start({ config: { INSPECTION_WORKERS: 1, INSPECTION_SECONDS: 0.001 } });
    const empty = await slow.everything();
    const large = zipOf(pluginFiles({ extra: { "data.bin": noise(20_000_000) } }), 0);
    expect(await reasonOf(slow.upload(large))).toBe("INSPECTION_TIMEOUT");
    expect(await slow.everything()).toEqual(empty);
    expect(await reasonOf(own.upload(large))).toBe("none");
    await Promise.all([slow.close(), own.close()]);
  });
});
