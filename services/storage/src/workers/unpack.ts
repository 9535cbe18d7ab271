import { chmod, mkdir, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { openArchive } from "@registry/archive";
import type { Tasks } from "./tasks.ts";

/**
 * Writes the files of a package below an existing folder, readable by everybody whatever the umask. Names that could lead
 * out of the folder, and links, are refused with the archive.
 */
export async function unpack(input: Tasks["unpack"]["input"]): Promise<Tasks["unpack"]["output"]> {
  const { path, size, limits, spoolDirectory, target } = input;
  const archive = await openArchive({ path, size }, limits, { spoolDirectory });
  try {
    const made = new Set([target]);
    for (const file of archive.files) {
      const place = join(target, file.path);
      await makeFolders(dirname(place), made);
      const handle = await open(place, "wx");
      try {
        for await (const chunk of archive.read(file)) await handle.writeFile(chunk);
        await handle.chmod((file.mode ?? 0) & 0o111 ? 0o755 : 0o644);
      } finally {
        await handle.close();
      }
    }
    return archive.files.map((file) => file.path);
  } finally {
    await archive.close();
  }
}

/** @param made those that are there, the topmost among them */
async function makeFolders(folder: string, made: Set<string>): Promise<void> {
  if (made.has(folder)) return;
  await makeFolders(dirname(folder), made);
  await mkdir(folder);
  await chmod(folder, 0o755);
  made.add(folder);
}
