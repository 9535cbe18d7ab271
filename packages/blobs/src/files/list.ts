import type { Dirent } from "node:fs";
import { opendir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { BlobStat } from "../port.ts";
import { systemCode } from "./errors.ts";
import { temporaryFolder } from "./temporary.ts";

/** Walks the folders below a prefix; what is deleted meanwhile may be missing, what is added may be there. */
export async function* walk(directory: string, prefix: string): AsyncGenerator<BlobStat> {
  for await (const entry of entries(join(directory, prefix))) {
    const key = `${prefix}${entry.name}`;
    if (entry.isDirectory()) {
      if (key !== temporaryFolder) yield* walk(directory, `${key}/`);
    } else if (entry.isFile()) {
      const found = await statFile(directory, key);
      if (found !== undefined) yield found;
    }
  }
}

async function* entries(folder: string): AsyncGenerator<Dirent> {
  try {
    yield* await opendir(folder, { bufferSize: 128 });
  } catch (error) {
    const code = systemCode(error);
    if (code !== "ENOENT" && code !== "ENOTDIR") throw error;
  }
}

export async function statFile(directory: string, key: string): Promise<BlobStat | undefined> {
  try {
    const found = await stat(join(directory, key));
    return found.isFile() ? { key, size: found.size, modifiedAt: found.mtime } : undefined;
  } catch (error) {
    const code = systemCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw error;
  }
}
