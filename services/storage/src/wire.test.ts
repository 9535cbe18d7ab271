import { StorageServiceDefinition } from "@registry/contracts/storage";
import { type GrpcServer, type ServiceClient, startGrpcServer } from "@registry/kit";
import { afterAll, beforeAll, expect, it } from "vitest";
import { messagesOf, noise, pluginFiles, sha256Of, zipOf } from "./testing/packages.ts";
import { reasonOf, Stack } from "./testing/stack.ts";

let stack: Stack;
let server: GrpcServer;
let remote: { client: ServiceClient<typeof StorageServiceDefinition>; close: () => void };
beforeAll(async () => {
  stack = await Stack.start();
  const { tables } = stack.service;
  server = await startGrpcServer(tables, stack.surroundings.pipeline, { host: "127.0.0.1", port: 0 });
  remote = stack.surroundings.clients.at(StorageServiceDefinition, `127.0.0.1:${server.port}`);
});
afterAll(async () => {
  remote.close();
  await server.close(1000);
  await stack.close();
});

const bytes = zipOf(pluginFiles({ extra: { "data.bin": noise(9_000_000) } }), 0);

it("a package comes and goes over the wire unchanged", async () => {
  const { upload } = await remote.client.uploadPackage(messagesOf(bytes), {
    ...stack.asPublisher(),
    timeoutMs: 60_000,
  });
  expect(upload?.sha256).toBe(sha256Of(bytes));
  await remote.client.commitUpload({ uploadId: upload?.id ?? "" }, stack.asService("catalog"));
  const chunks: Uint8Array[] = [];
  for await (const { part } of remote.client.readBlob({ sha256: sha256Of(bytes) }, stack.asService("gateway"))) {
    if (part?.$case === "chunk") chunks.push(part.value);
  }
  expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
});

it("an upload whose caller goes away in the middle leaves nothing", async () => {
  const before = await stack.everything();
  for (const count of [1, 5, 30]) {
    const controller = new AbortController();
    async function* leaving() {
      let sent = 0;
      for await (const message of messagesOf(bytes)) {
        if (sent++ === count) {
          controller.abort();
          await new Promise(() => undefined);
        }
        yield message;
      }
    }
    const call = remote.client.uploadPackage(leaving(), { ...stack.asPublisher(), signal: controller.signal });
    expect(await reasonOf(call)).toBe("CANCELLED");
  }
  await expect.poll(() => stack.everything()).toEqual(before);
});

it("an upload that was refused says why, though its sender is still sending", async () => {
  const call = remote.client.uploadPackage(messagesOf(bytes, { size: 1000 }), stack.asPublisher());
  expect(await reasonOf(call)).toBe("SIZE_MISMATCH");
  expect(await reasonOf(remote.client.uploadPackage(messagesOf(noise(2000)), stack.asPublisher()))).toMatch(/ARCHIVE/);
});

it("a reader that stops reading lets go of the blob", async () => {
  let seen = 0;
  for await (const { part } of remote.client.readBlob({ sha256: sha256Of(bytes) }, stack.asService("gateway"))) {
    if (part?.$case === "chunk" && ++seen === 2) break;
  }
  expect(seen).toBe(2);
});
