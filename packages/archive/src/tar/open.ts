import { type FileHandle, mkdtemp, open, rm } from "node:fs/promises";
import { join } from "node:path";
import type { FileEntry, OpenArchive } from "../archive.ts";
import { ByteWindow, readRange } from "../bytes.ts";
import type { ArchiveLimits } from "../limits.ts";
import { gunzipTo } from "./gzip.ts";
import { layOut } from "./layout.ts";
import { checkTar } from "./structure.ts";

/**
 * Unpacks into a nameless spool file in `spoolDirectory` (its name is removed before the first byte is written, so
 * that nothing stays behind if the process dies) and checks the tar there. Takes over `handle`.
 */
export async function openTarGz(
  handle: FileHandle,
  size: number,
  limits: ArchiveLimits,
  spoolDirectory: string,
): Promise<OpenArchive> {
  const spool = await openSpool(spoolDirectory);
  try {
    const unpacked = await gunzipTo(spool, handle, size, limits);
    const layout = layOut(await checkTar(new ByteWindow(spool, unpacked), size, limits));
    const files = [...layout.files].map(([path, entry]): FileEntry => ({ path, size: entry.size, mode: entry.mode }));
    const found = new Map(files.map((file) => [file.path, file]));
    return {
      container: "tar.gz",
      files,
      topFolder: layout.topFolder,
      find: (path) => found.get(path),
      read(file) {
        const entry = layout.files.get(file.path);
        if (entry === undefined) throw new RangeError("not a file of this archive");
        return readRange(spool, entry.dataOffset, entry.size);
      },
      close: async () => {
        await Promise.all([handle.close(), spool.close()]);
      },
    };
  } catch (error) {
    await spool.close();
    throw error;
  }
}

async function openSpool(directory: string): Promise<FileHandle> {
  const folder = await mkdtemp(join(directory, "spool-"));
  try {
    return await open(join(folder, "tar"), "wx+", 0o600);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
