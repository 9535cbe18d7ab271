import { createInflateRaw, type InflateRaw } from "node:zlib";
import { isRegistryError } from "@registry/domain";
import { corrupt } from "./refuse.ts";

export interface InflateBounds {
  /** Compressed bytes that the source yields; the stream must end exactly with the last of them. */
  readonly input: number;
  /** Called with the running total of output before more of it is handed on; throws to stop. */
  readonly produced: (total: number) => void;
  /** The error for input that goes on after the stream's end. */
  readonly trailing: () => Error;
}

/**
 * Inflates one raw deflate stream that must use up all of its input, off the event loop's thread.
 * Throws CORRUPT_ARCHIVE for damaged or cut input. Ends early with its consumer.
 */
export async function* inflateRaw(source: AsyncIterable<Buffer>, bounds: InflateBounds): AsyncGenerator<Buffer> {
  const inflate = createInflateRaw({ chunkSize: 64 * 1024 });
  const closed = new Promise<void>((resolve) => inflate.once("close", resolve));
  const feeding = feed(source, inflate, closed);
  let total = 0;
  try {
    for await (const chunk of inflate as AsyncIterable<Buffer>) {
      total += chunk.length;
      bounds.produced(total);
      yield chunk;
    }
    if (inflate.bytesWritten !== bounds.input) throw bounds.trailing();
  } catch (error) {
    throw isZlibError(error) ? corrupt("Compressed data cannot be inflated") : error;
  } finally {
    inflate.destroy();
    await feeding;
  }
}

/** Ends quietly once the inflater is closed: a stream that ended early calls back for no further write. */
async function feed(source: AsyncIterable<Buffer>, inflate: InflateRaw, closed: Promise<void>): Promise<void> {
  try {
    for await (const chunk of source) {
      await Promise.race([new Promise<void>((resolve) => inflate.write(chunk, () => resolve())), closed]);
      if (inflate.destroyed) return;
    }
    inflate.end();
  } catch (error) {
    inflate.destroy(error instanceof Error ? error : new Error("reading failed", { cause: error }));
  }
}

function isZlibError(error: unknown): boolean {
  if (isRegistryError(error) || !(error instanceof Error) || !("code" in error)) return false;
  return typeof error.code === "string" && error.code.startsWith("Z_");
}
