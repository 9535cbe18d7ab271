import { Readable } from "node:stream";
import { expect, it } from "vitest";
import { abortable } from "./abortable.ts";

it("ends a stream that nobody reads yet without an error that nobody hears, and tells the reader later", async () => {
  const controller = new AbortController();
  const stream = abortable(Readable.from([Buffer.alloc(10)]), controller.signal);
  controller.abort();
  await new Promise((resolve) => stream.once("close", resolve));
  const read = async (): Promise<void> => {
    for await (const _ of stream) expect.unreachable();
  };
  await expect(read()).rejects.toMatchObject({ kind: "cancelled" });
});
