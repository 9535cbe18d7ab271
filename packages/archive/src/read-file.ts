import { notFound } from "@registry/domain";
import type { ArchiveLimits } from "./limits.ts";
import { type ArchiveFile, type OpenOptions, openArchive } from "./open.ts";

export interface OpenFile {
  readonly size: number;
  /** Yields the content once, verified; closes the archive at its end, or when the consumer stops. */
  readonly content: AsyncGenerator<Buffer>;
}

/**
 * Opens one file of a package by its path relative to the package root. The caller must consume `content`, or end it
 * with `return()`. Throws `not_found` FILE_NOT_FOUND, else as `openArchive` does.
 */
export async function readArchiveFile(
  file: ArchiveFile,
  path: string,
  limits: ArchiveLimits,
  options: OpenOptions = {},
): Promise<OpenFile> {
  const archive = await openArchive(file, limits, options);
  const entry = archive.find(path);
  if (entry === undefined) {
    await archive.close();
    throw notFound("FILE_NOT_FOUND", "The package holds no such file");
  }
  const content = closing(archive.read(entry), () => archive.close());
  await content.next();
  return { size: entry.size, content };
}

/** Its first `next` only starts it, so that ending it at any time after runs `close`. */
async function* closing(source: AsyncIterable<Buffer>, close: () => Promise<void>): AsyncGenerator<Buffer> {
  try {
    yield Buffer.alloc(0);
    yield* source;
  } finally {
    await close();
  }
}
