import type { FileHandle } from "node:fs/promises";
import { crc32 } from "node:zlib";
import { byPath, type FileEntry, type OpenArchive } from "../archive.ts";
import { ByteWindow, readRange } from "../bytes.ts";
import { inflateRaw } from "../inflate.ts";
import type { ArchiveLimits } from "../limits.ts";
import { corrupt, refused } from "../refuse.ts";
import { checkZip, type ZipEntry } from "./structure.ts";

/** Takes over `handle`, which `close` closes. */
export async function openZip(handle: FileHandle, size: number, limits: ArchiveLimits): Promise<OpenArchive> {
  const entries = await checkZip(new ByteWindow(handle, size), limits);
  const byName = new Map(entries.filter((entry) => entry.kind === "file").map((entry) => [entry.path, entry]));
  for (const entry of entries) if (entry.kind === "directory") await drain(readZipEntry(handle, entry));
  const files = [...byName.values()]
    .map((entry): FileEntry => ({ path: entry.path, size: entry.header.size, mode: modeOf(entry) }))
    .sort(byPath);
  const found = new Map(files.map((file) => [file.path, file]));
  return {
    container: "zip",
    files,
    topFolder: "",
    find: (path) => found.get(path),
    read(file) {
      const entry = byName.get(file.path);
      if (entry === undefined) throw new RangeError("not a file of this archive");
      return readZipEntry(handle, entry);
    },
    close: () => handle.close(),
  };
}

function modeOf(entry: ZipEntry): number | undefined {
  const mode = entry.header.attributes >>> 16;
  return mode === 0 ? undefined : mode & 0o777;
}

/** A folder has no content, but its few packed bytes must still be what they declare. */
async function drain(content: AsyncIterable<Buffer>): Promise<void> {
  for await (const _chunk of content);
}

async function* readZipEntry(handle: FileHandle, entry: ZipEntry): AsyncGenerator<Buffer> {
  const { header, path } = entry;
  const packed = readRange(handle, entry.dataOffset, header.packed);
  const tooLong = (total: number): void => {
    if (total > header.size) throw corrupt("A zip entry inflates to more than it declares", path);
  };
  const trailing = (): Error =>
    refused("ZIP_HIDDEN_DATA", "A zip entry has bytes after the end of its compressed content", path);
  const content =
    header.method === 0 ? packed : inflateRaw(packed, { input: header.packed, produced: tooLong, trailing });
  let crc = 0;
  let total = 0;
  for await (const chunk of content) {
    crc = crc32(chunk, crc);
    total += chunk.length;
    yield chunk;
  }
  if (total !== header.size) throw corrupt("A zip entry inflates to less than it declares", path);
  if (crc !== header.crc) throw corrupt("A zip entry's checksum does not match its content", path);
}
