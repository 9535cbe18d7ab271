import type { FileHandle } from "node:fs/promises";
import { corrupt } from "./refuse.ts";

const CHUNK = 64 * 1024;

/** Reads the bytes from `start` on in chunks of 64 KiB; throws CORRUPT_ARCHIVE where the file ends too early. */
export async function* readRange(handle: FileHandle, start: number, length: number): AsyncGenerator<Buffer> {
  let position = start;
  const end = start + length;
  while (position < end) {
    const wanted = Math.min(CHUNK, end - position);
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(wanted), 0, wanted, position);
    if (bytesRead === 0) throw corrupt("The file ends too early");
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

/**
 * Random access to a file through one buffer of 64 KiB, made for small reads at mostly rising offsets.
 * What `bytes` returns is valid until the next call.
 */
export class ByteWindow {
  readonly #handle: FileHandle;
  readonly size: number;
  #buffer: Buffer = Buffer.alloc(0);
  #start = 0;

  constructor(handle: FileHandle, size: number) {
    this.#handle = handle;
    this.size = size;
  }

  async bytes(offset: number, length: number): Promise<Buffer> {
    if (offset < 0 || length < 0 || offset + length > this.size) throw corrupt("A header points outside of the file");
    if (offset < this.#start || offset + length > this.#start + this.#buffer.length) await this.#fill(offset, length);
    return this.#buffer.subarray(offset - this.#start, offset - this.#start + length);
  }

  async #fill(offset: number, length: number): Promise<void> {
    const wanted = Math.min(Math.max(length, CHUNK), this.size - offset);
    const parts: Buffer[] = [];
    for await (const part of readRange(this.#handle, offset, wanted)) parts.push(part);
    this.#buffer = parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
    this.#start = offset;
  }
}
