import type { OpenArchive } from "./archive.ts";
import type { ArchiveLimits } from "./limits.ts";
import { type ArchiveFile, type OpenOptions, openArchive } from "./open.ts";
import { gzip } from "./write/gzip.ts";
import type { SourceFile } from "./write/source.ts";
import { writeTar } from "./write/tar.ts";
import { writeZip } from "./write/zip.ts";

/**
 * Yields the package as tar.gz with everything below `topFolder/` (the plugin's base name, or npm's `package`). The
 * same package gives the same bytes, whatever its container's times, owners and order were; empty folders are not
 * carried over. The archive's structure is checked again before the first byte; throws as `openArchive` does.
 */
export function repackAsTarGz(
  file: ArchiveFile,
  topFolder: string,
  limits: ArchiveLimits,
  options: OpenOptions = {},
): AsyncGenerator<Buffer> {
  return repack(file, limits, options, (files) => gzip(writeTar(files, topFolder)));
}

/** Yields the package as zip with its files at the root; otherwise as `repackAsTarGz`. */
export function repackAsZip(
  file: ArchiveFile,
  limits: ArchiveLimits,
  options: OpenOptions = {},
): AsyncGenerator<Buffer> {
  return repack(file, limits, options, (files) => writeZip(files));
}

async function* repack(
  file: ArchiveFile,
  limits: ArchiveLimits,
  options: OpenOptions,
  write: (files: readonly SourceFile[]) => AsyncIterable<Buffer>,
): AsyncGenerator<Buffer> {
  const archive = await openArchive(file, limits, options);
  try {
    yield* write(sourcesOf(archive));
  } finally {
    await archive.close();
  }
}

function sourcesOf(archive: OpenArchive): readonly SourceFile[] {
  return archive.files.map((entry) => ({
    path: entry.path,
    size: entry.size,
    executable: ((entry.mode ?? 0) & 0o100) !== 0,
    read: () => archive.read(entry),
  }));
}
