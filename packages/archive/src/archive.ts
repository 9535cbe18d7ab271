/** One regular file of a package, its path relative to the package root. */
export interface FileEntry {
  readonly path: string;
  /** Bytes once unpacked, as the archive declares them; checked when the content is read. */
  readonly size: number;
  /** Unix permission bits, where the archive carries them. */
  readonly mode: number | undefined;
}

/**
 * An archive whose structure was checked. `files` are sorted by path (UTF-16 code units).
 *
 * `read` yields a file's bytes and verifies size and checksum on the way: a consumer that sees the end without
 * an error has seen the true content. It throws RegistryError (CORRUPT_ARCHIVE) otherwise.
 */
export interface OpenArchive {
  readonly container: "zip" | "tar.gz";
  readonly files: readonly FileEntry[];
  /** Name of the one top folder that was taken off every path; empty where files are at the root. */
  readonly topFolder: string;
  find(path: string): FileEntry | undefined;
  read(file: FileEntry): AsyncIterable<Buffer>;
  close(): Promise<void>;
}

export function byPath(a: { readonly path: string }, b: { readonly path: string }): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0;
}
