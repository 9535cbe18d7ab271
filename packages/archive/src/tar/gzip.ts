import type { FileHandle } from "node:fs/promises";
import { crc32 } from "node:zlib";
import { ByteWindow, readRange } from "../bytes.ts";
import { inflateRaw } from "../inflate.ts";
import type { ArchiveLimits } from "../limits.ts";
import { corrupt, overCap, refused } from "../refuse.ts";

const HEADER_SIZE = 10;
const TRAILER_SIZE = 8;
const FLAG_TEXT = 0x01;
const FLAG_NAME = 0x08;
const LONGEST_NAME = 1024;

/**
 * Unpacks the one member of a gzip file (RFC 1952) into `spool` and returns the number of bytes written.
 * Refuses a second member, bytes after it, and output over the caps, at which inflating stops.
 */
export async function gunzipTo(
  spool: FileHandle,
  handle: FileHandle,
  size: number,
  limits: ArchiveLimits,
): Promise<number> {
  const window = new ByteWindow(handle, size);
  if (size < HEADER_SIZE + TRAILER_SIZE) throw corrupt("The gzip file is too short");
  const trailer = Buffer.from(await window.bytes(size - TRAILER_SIZE, TRAILER_SIZE));
  const declared = trailer.readUInt32LE(4);
  const cap = outputCap(size, limits);
  const start = await headerLength(window);
  const input = size - TRAILER_SIZE - start;
  if (input <= 0) throw corrupt("The gzip file is too short");
  const produced = (total: number): void => {
    if (total > cap.bytes) throw cap.error();
  };
  let crc = 0;
  let written = 0;
  for await (const chunk of inflateRaw(readRange(handle, start, input), { input, produced, trailing })) {
    crc = crc32(chunk, crc);
    await writeAll(spool, chunk, written);
    written += chunk.length;
  }
  if (written !== declared || crc !== trailer.readUInt32LE(0)) throw trailing();
  return written;
}

function trailing(): Error {
  return refused(
    "GZIP_TRAILING_DATA",
    "The gzip's length or checksum does not match its content: it must be one member with nothing after it",
  );
}

function outputCap(size: number, limits: ArchiveLimits): { bytes: number; error: () => Error } {
  const byRatio = Math.max(limits.ratioFloorBytes, size * limits.ratio);
  const bySize = limits.unpackedBytes + limits.entries * 4096 + 1024 * 1024;
  return byRatio < bySize
    ? {
        bytes: byRatio,
        error: () =>
          overCap("COMPRESSION_RATIO", `The content unpacks to more than ${limits.ratio} times its packed size`),
      }
    : {
        bytes: bySize,
        error: () => overCap("UNPACKED_TOO_LARGE", `Unpacked, the package is over ${limits.unpackedBytes} bytes`),
      };
}

async function headerLength(window: ByteWindow): Promise<number> {
  const header = await window.bytes(0, HEADER_SIZE);
  const flags = header.readUInt8(3);
  if (header.readUInt8(2) !== 8 || (flags & ~(FLAG_TEXT | FLAG_NAME)) !== 0) {
    throw refused("GZIP_HEADER", "The gzip header has optional parts that are not allowed; pack with plain gzip");
  }
  if ((flags & FLAG_NAME) === 0) return HEADER_SIZE;
  const name = await window.bytes(HEADER_SIZE, Math.min(LONGEST_NAME, window.size - HEADER_SIZE));
  const end = name.indexOf(0);
  if (end === -1) throw refused("GZIP_HEADER", `The file name in the gzip header is over ${LONGEST_NAME} bytes`);
  return HEADER_SIZE + end + 1;
}

async function writeAll(file: FileHandle, chunk: Buffer, position: number): Promise<void> {
  let done = 0;
  while (done < chunk.length) {
    const { bytesWritten } = await file.write(chunk, done, chunk.length - done, position + done);
    done += bytesWritten;
  }
}
