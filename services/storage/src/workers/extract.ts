import { createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { openArchive } from "@registry/archive";
import type { Tasks } from "./tasks.ts";

/** Writes one file of a package to the local disk; null where the package has no such file. */
export async function extract(input: Tasks["extract"]["input"]): Promise<Tasks["extract"]["output"]> {
  const { path, size, limits, spoolDirectory } = input;
  const archive = await openArchive({ path, size }, limits, { spoolDirectory });
  try {
    const entry = archive.find(input.file);
    if (entry === undefined) return null;
    await pipeline(archive.read(entry), createWriteStream(input.target, { flags: "wx" }));
    return { size: entry.size };
  } finally {
    await archive.close();
  }
}
