import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import type { UploadHeader, UploadPackageRequest } from "@registry/contracts/storage";
import { type Digest, invalid, isDigest, isRegistryError, parseDigest } from "@registry/domain";
import { untilAborted } from "@registry/kit";
import { brokenOff, digestMismatch, packageTooLarge, sizeMismatch } from "../model/errors.ts";

const maxChunkBytes = 1024 * 1024;

export interface Received {
  readonly size: number;
  readonly sha256: Digest;
}

interface Promises {
  /** 0 where none was given. */
  readonly size: number;
  readonly sha256: Digest | undefined;
}

/**
 * Writes the chunks of an upload to a new file, no faster than the disk takes them, and holds its header's promises
 * against them.
 * @throws kind `invalid_argument` (`HEADER_MISSING`, `INVALID_SIZE`, `INVALID_DIGEST`, `INVALID_CHUNK`, `SIZE_MISMATCH`,
 *   `DIGEST_MISMATCH`); kind `too_large`, reason `PACKAGE_TOO_LARGE`; kind `cancelled`, reason `UPLOAD_BROKEN_OFF`; the
 *   signal's reason once it is aborted
 */
export async function receivePackage(
  messages: AsyncIterable<UploadPackageRequest>,
  path: string,
  limit: number,
  signal: AbortSignal,
): Promise<Received> {
  const iterator = messages[Symbol.asyncIterator]();
  const next = async (): Promise<UploadPackageRequest["part"] | "end"> => {
    const result = await untilAborted(iterator.next(), signal).catch((error: unknown) => {
      throw signal.aborted || isRegistryError(error) ? error : brokenOff(error);
    });
    return result.done === true ? "end" : result.value.part;
  };
  try {
    const first = await next();
    if (first === "end" || first?.$case !== "header") {
      throw invalid("HEADER_MISSING", "The first message of an upload must be its header", "/header");
    }
    const promised = readHeader(first.value, limit);
    const handle = await open(path, "wx", 0o600);
    try {
      const received = await writeChunks(next, handle, promised, limit);
      // A caller that goes away may look like one that has sent everything.
      signal.throwIfAborted();
      return received;
    } finally {
      await handle.close();
    }
  } finally {
    // Not awaited: a sender that gives nothing would hold up the answer.
    void Promise.resolve(iterator.return?.()).catch(() => undefined);
  }
}

function readHeader(header: UploadHeader, limit: number): Promises {
  if (!Number.isSafeInteger(header.size) || header.size < 0) {
    throw invalid("INVALID_SIZE", "size: expected the number of bytes that will come, or 0", "/header/size");
  }
  if (header.size > limit) throw packageTooLarge(limit);
  return {
    size: header.size,
    sha256: header.sha256 === "" ? undefined : parseDigest(header.sha256, "/header/sha256"),
  };
}

async function writeChunks(
  next: () => Promise<UploadPackageRequest["part"] | "end">,
  handle: FileHandle,
  promised: Promises,
  limit: number,
): Promise<Received> {
  const hash = createHash("sha256");
  let size = 0;
  for (let part = await next(); part !== "end"; part = await next()) {
    if (part?.$case !== "chunk" || part.value.length > maxChunkBytes) {
      throw invalid("INVALID_CHUNK", "After the header come only chunks of at most 1 MiB", "/chunk");
    }
    size += part.value.length;
    if (size > limit) throw packageTooLarge(limit);
    if (promised.size > 0 && size > promised.size) throw sizeMismatch(promised.size, "more");
    hash.update(part.value);
    await writeWhole(handle, part.value);
  }
  if (promised.size > 0 && size !== promised.size) throw sizeMismatch(promised.size, `${size}`);
  const sha256 = hash.digest("hex");
  if (!isDigest(sha256) || (promised.sha256 !== undefined && promised.sha256 !== sha256)) throw digestMismatch();
  return { size, sha256 };
}

async function writeWhole(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  let offset = 0;
  while (offset < bytes.length) offset += (await handle.write(bytes, offset)).bytesWritten;
}
