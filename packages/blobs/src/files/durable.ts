import { link, mkdir, open, rmdir, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { systemCode } from "./errors.ts";

/** Another process may take an empty folder away between its making and its use; it can win that race this often. */
const linkAttempts = 10;

/**
 * Gives a finished, synced file a second name, only if that name is free, and makes the name durable.
 * @throws the system's error, ENOENT where `from` does not exist
 */
export async function linkDurably(root: string, from: string, to: string): Promise<"created" | "exists"> {
  for (let attempt = 1; ; attempt++) {
    try {
      await link(from, to);
      await syncFolders(root, dirname(to));
      return "created";
    } catch (error) {
      const code = systemCode(error);
      if (code === "EEXIST") {
        // The winner of a race may not have synced its name yet, and "exists" promises a durable object too.
        await syncFolders(root, dirname(to));
        return "exists";
      }
      if (code !== "ENOENT" || attempt === linkAttempts) throw error;
      await makeFolder(dirname(to));
      if (!(await exists(from))) throw error;
    }
  }
}

/** @returns false where there was no such file */
export async function unlinkDurably(root: string, path: string): Promise<boolean> {
  try {
    await unlink(path);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return false;
    throw error;
  }
  await syncFolder(await removeEmptyFolders(root, dirname(path)));
  return true;
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await (await open(path, "r")).close();
    return true;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return false;
    throw error;
  }
}

/** A name is durable when its folder is synced, and the folder's own name when its parent is, up to the root. */
async function syncFolders(root: string, folder: string): Promise<void> {
  const chain: string[] = [];
  for (let at = folder; at.length >= root.length; at = dirname(at)) chain.push(at);
  await Promise.all(chain.map(syncFolder));
}

async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, "r");
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    // It was emptied and removed meanwhile: nothing in it is left to be made durable.
    if (systemCode(error) !== "ENOENT") throw error;
  }
}

/** @returns the innermost folder that is left */
async function removeEmptyFolders(root: string, folder: string): Promise<string> {
  let at = folder;
  while (at.length > root.length) {
    try {
      await rmdir(at);
    } catch (error) {
      if (systemCode(error) !== "ENOENT") return at;
    }
    at = dirname(at);
  }
  return root;
}
