import type { IncomingMessage } from "node:http";
import { pipeline, Readable, Transform, type TransformCallback } from "node:stream";
import { unavailable } from "@registry/domain";
import { abortable } from "../abortable.ts";
import type { ReadOptions } from "../port.ts";
import { blobNotFound, cancelled, rangeNotSatisfiable } from "../rules.ts";
import type { Connection } from "./connection.ts";
import { s3Code, translate } from "./errors.ts";

const chunkBytes = 256 * 1024;

/** @throws as the port's `read` does */
export async function download(connection: Connection, key: string, options: ReadOptions): Promise<Readable> {
  const { start = 0, end, signal } = options;
  const state: { gather?: Gather } = {};
  const client = connection.client({
    ...(signal && { signal }),
    waitsForUs: () => state.gather?.writableNeedDrain === true,
  });
  let response: Readable;
  try {
    const length = end === undefined ? 0 : end - start + 1;
    response = await client.getPartialObject(connection.bucket, key, start, length);
  } catch (error) {
    if (signal?.aborted) throw cancelled(signal.reason);
    if (["NoSuchKey", "NotFound"].includes(s3Code(error) ?? "")) throw blobNotFound();
    // An empty object has no byte 0 to these servers, but to the port it is an empty stream.
    if (s3Code(error) === "InvalidRange" && start === 0) return abortable(Readable.from([]), signal);
    if (s3Code(error) === "InvalidRange") throw rangeNotSatisfiable();
    throw translate(error);
  }
  const announced = announcedBytes(response, start > 0 || end !== undefined);
  const gather = new Gather(announced);
  state.gather = gather;
  pipeline(response, gather, () => undefined);
  return abortable(gather, signal);
}

/** @throws kind `unavailable` where the answer is not the range that was asked for, or of unknown length */
function announcedBytes(response: Readable, ranged: boolean): number {
  const { statusCode, headers } = response as IncomingMessage;
  const length = Number(headers["content-length"]);
  if (Number.isSafeInteger(length) && (!ranged || statusCode === 206)) return length;
  response.destroy();
  throw unavailable(
    "The blob store",
    new Error(`Answered ${statusCode} with content-length ${headers["content-length"]}`),
  );
}

/** Gathers the network's small chunks into larger ones, and takes a short answer for what it is. */
class Gather extends Transform {
  readonly #announced: number;
  #seen = 0;
  #gathered: Uint8Array[] = [];
  #gatheredBytes = 0;

  constructor(announced: number) {
    super({ readableHighWaterMark: chunkBytes, writableHighWaterMark: chunkBytes });
    this.#announced = announced;
  }

  override _transform(chunk: Uint8Array, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#seen += chunk.length;
    this.#gathered.push(chunk);
    this.#gatheredBytes += chunk.length;
    if (this.#gatheredBytes >= chunkBytes) this.#emit();
    done();
  }

  override _flush(done: TransformCallback): void {
    if (this.#gatheredBytes > 0) this.#emit();
    done(this.#seen === this.#announced ? null : unavailable("The blob store", new Error("The answer was cut short")));
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#gathered = [];
    done(error === null ? null : translate(error));
  }

  #emit(): void {
    this.push(Buffer.concat(this.#gathered, this.#gatheredBytes));
    this.#gathered = [];
    this.#gatheredBytes = 0;
  }
}
