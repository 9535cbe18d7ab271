import type { Stats } from "node:fs";
import { lstat, readlink } from "node:fs/promises";
import { join } from "node:path";

const folders = ["usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32"];
/** What the loader and Debian's links to programs need; nothing that tells of the machine's users, names or keys. */
const configuration = ["etc/ld.so.cache", "etc/alternatives"];

/**
 * The arguments that show the sandbox the programs below `root` read-only, and nothing else of it.
 * @param root absolute path; empty where there are none
 */
export async function bindRootFileSystem(root: string): Promise<readonly string[]> {
  const parts: string[] = [];
  for (const name of [...folders, ...configuration]) {
    const source = join(root, name);
    const found = await lstatIfThere(source);
    if (found === undefined) continue;
    if (found.isSymbolicLink()) parts.push("--symlink", await readlink(source), `/${name}`);
    else parts.push("--ro-bind", source, `/${name}`);
  }
  return parts;
}

async function lstatIfThere(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
