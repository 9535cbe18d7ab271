import { crc32, createDeflateRaw } from "node:zlib";

/** Deflate level of everything that this package writes; a change changes the bytes of every derived packing. */
export const LEVEL = 6;

/** No name, no time, "unknown" as operating system: the same on every machine. */
const HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);

/** Compresses to one raw deflate stream, off the event loop's thread. */
export async function* deflateRaw(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const deflate = createDeflateRaw({ level: LEVEL, chunkSize: 64 * 1024 });
  const closed = new Promise<void>((resolve) => deflate.once("close", resolve));
  const feeding = (async () => {
    try {
      for await (const chunk of source) {
        await Promise.race([new Promise<void>((resolve) => deflate.write(chunk, () => resolve())), closed]);
        if (deflate.destroyed) return;
      }
      deflate.end();
    } catch (error) {
      deflate.destroy(error instanceof Error ? error : new Error("reading failed", { cause: error }));
    }
  })();
  try {
    for await (const chunk of deflate as AsyncIterable<Buffer>) yield chunk;
  } finally {
    deflate.destroy();
    await feeding;
  }
}

/** One gzip member (RFC 1952) with a fixed header. */
export async function* gzip(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let crc = 0;
  let size = 0;
  async function* counted(): AsyncGenerator<Buffer> {
    for await (const chunk of source) {
      crc = crc32(chunk, crc);
      size += chunk.length;
      yield chunk;
    }
  }
  yield HEADER;
  yield* deflateRaw(counted());
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(crc, 0);
  trailer.writeUInt32LE(size >>> 0, 4);
  yield trailer;
}
