import { type FileHandle, open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { RegistryError } from "@registry/domain";
import type { OpenArchive } from "./archive.ts";
import { readRange } from "./bytes.ts";
import type { ArchiveLimits } from "./limits.ts";
import { corrupt, overCap } from "./refuse.ts";
import { openTarGz } from "./tar/open.ts";
import { openZip } from "./zip/open.ts";

/** A package on the local disk. */
export interface ArchiveFile {
  readonly path: string;
  /** Bytes that the file must have. */
  readonly size: number;
}

export interface OpenOptions {
  /** Where a tar.gz is unpacked while it is open (at most the unpacked cap); the system's temporary folder by default. */
  readonly spoolDirectory?: string;
}

/**
 * Opens a zip or tar.gz after checking its whole structure; the caller closes it.
 *
 * Throws RegistryError and nothing else for bad content: `unsupported_media` UNSUPPORTED_ARCHIVE, `too_large`, or
 * `rejected` with the reasons in this package's README. Failures of the disk itself come through as they are.
 */
export async function openArchive(
  file: ArchiveFile,
  limits: ArchiveLimits,
  options: OpenOptions = {},
): Promise<OpenArchive> {
  if (file.size > limits.packageBytes) {
    throw overCap(
      "PACKAGE_TOO_LARGE",
      `The package has ${file.size} bytes; at most ${limits.packageBytes} are allowed`,
    );
  }
  const handle = await open(file.path, "r");
  try {
    const { size } = await handle.stat();
    if (size !== file.size) throw corrupt(`The file has ${size} bytes where ${file.size} were announced`);
    return await openByMagic(handle, size, limits, options.spoolDirectory ?? tmpdir());
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function openByMagic(
  handle: FileHandle,
  size: number,
  limits: ArchiveLimits,
  spoolDirectory: string,
): Promise<OpenArchive> {
  const parts: Buffer[] = [];
  for await (const part of readRange(handle, 0, Math.min(4, size))) parts.push(part);
  const magic = Buffer.concat(parts);
  if (magic.subarray(0, 2).toString("latin1") === "PK") return openZip(handle, size, limits);
  if (magic.subarray(0, 2).equals(Buffer.from([0x1f, 0x8b]))) return openTarGz(handle, size, limits, spoolDirectory);
  throw new RegistryError(
    "unsupported_media",
    "UNSUPPORTED_ARCHIVE",
    "The package is neither a zip nor a gzip-packed tar; upload a .zip or a .tar.gz",
  );
}
