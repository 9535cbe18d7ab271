import { type FileHandle, open, unlink } from "node:fs/promises";
import type { Readable } from "node:stream";
import type { PutOptions } from "../port.ts";
import { cancelled, sizeMismatch } from "../rules.ts";

/**
 * Writes a new file and syncs it; the source is read no faster than the disk takes it. Nothing is left after a failure.
 * @throws kind `invalid_argument`, reason `SIZE_MISMATCH`; kind `cancelled`; the source's own error
 */
export async function writeSynced(path: string, source: Readable, options: PutOptions): Promise<void> {
  const { signal } = options;
  const abort = (): void => void source.destroy(cancelled(signal?.reason));
  signal?.addEventListener("abort", abort, { once: true });
  try {
    const handle = await open(path, "wx", 0o640);
    try {
      await writeAll(handle, source, options.size);
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (signal?.aborted) throw cancelled(signal.reason);
  } catch (error) {
    source.destroy();
    await unlink(path).catch(() => undefined);
    throw error;
  } finally {
    signal?.removeEventListener("abort", abort);
  }
}

async function writeAll(handle: FileHandle, source: Readable, size: number): Promise<void> {
  let written = 0;
  for await (const chunk of source) {
    const bytes: Uint8Array = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
    if (written + bytes.length > size) throw sizeMismatch(size, written + bytes.length);
    await writeWhole(handle, bytes);
    written += bytes.length;
  }
  if (written < size) throw sizeMismatch(size, written);
}

async function writeWhole(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  let offset = 0;
  while (offset < bytes.length) {
    offset += (await handle.write(bytes, offset, bytes.length - offset)).bytesWritten;
  }
}
