import { constants, type Dirent } from "node:fs";
import { type FileHandle, open, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type ArchiveLimits, checkPaths, type SourceFile } from "@registry/archive";
import { invalid, RegistryError } from "@registry/domain";
import { ignoreFile, LeftOut, type LeftOutCount } from "./left-out.ts";
import { printable } from "./text.ts";

export interface FolderListing {
  readonly files: readonly SourceFile[];
  readonly leftOut: readonly LeftOutCount[];
}

const longestIgnoreFile = 64 * 1024;
/** A zip without its extension for large files ends here. */
const largestZip = 2 ** 32 - 1;
/** Neither waits for a writer nor follows a link that took a file's place. */
const readFlags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Lists the files of a folder that belong into its package. Contents are read when they are packed.
 * @throws `rejected` SPECIAL_ENTRY, NAME_ENCODING and `too_large` TOO_MANY_ENTRIES, UNPACKED_TOO_LARGE, PATH_TOO_DEEP:
 *   what a registry would refuse a package with the same in it for, as soon as it is seen
 * @throws `invalid_argument` UNREADABLE
 */
export async function listFolder(folder: string, limits: ArchiveLimits): Promise<FolderListing> {
  const leftOut = new LeftOut(await readIgnoreFile(folder));
  const files: SourceFile[] = [];
  const folders = [""];
  let total = 0;
  for (let next = folders.pop(); next !== undefined; next = folders.pop()) {
    for (const { path, entry } of await listOne(folder, next)) {
      if (leftOut.has(path, entry.isDirectory())) continue;
      if (entry.isDirectory()) {
        if (path.split("/").length > limits.pathDepth) checkPaths([path], limits);
        if (folders.push(path) > limits.entries * limits.pathDepth) throw tooMany(limits);
        continue;
      }
      if (!entry.isFile()) throw special(path, entry);
      if (files.length >= limits.entries) throw tooMany(limits);
      const file = await sourceOf(join(folder, path), path);
      total += file.size;
      if (total > Math.min(limits.unpackedBytes, largestZip)) throw tooLarge(limits);
      files.push(file);
    }
  }
  return { files, leftOut: leftOut.counts() };
}

async function listOne(root: string, folder: string): Promise<readonly { path: string; entry: Dirent<Buffer> }[]> {
  const entries = await readdir(join(root, folder), { withFileTypes: true, encoding: "buffer" }).catch(
    unreadable(folder),
  );
  return entries
    .map((entry) => ({ path: folder === "" ? decode(entry.name) : `${folder}/${decode(entry.name)}`, entry }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

function decode(name: Buffer): string {
  try {
    return utf8.decode(name);
  } catch {
    const shown = printable(name.toString("latin1"));
    throw new RegistryError("rejected", "NAME_ENCODING", `${shown}: the file name is not valid UTF-8; rename the file`);
  }
}

async function readIgnoreFile(folder: string): Promise<string> {
  try {
    const handle = await open(join(folder, ignoreFile), readFlags);
    try {
      const { size } = await handle.stat();
      if (size > longestIgnoreFile) throw invalid("IGNORE_FILE_TOO_LARGE", `${ignoreFile}: is larger than 64 KiB`);
      return await readFile(handle, "utf8");
    } finally {
      await handle.close();
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // A link or folder of that name is met again, and told, when the folder is listed.
    if (code === "ENOENT" || code === "ELOOP" || code === "EISDIR") return "";
    throw code === undefined ? error : unreadableError(ignoreFile, code);
  }
}

async function sourceOf(location: string, path: string): Promise<SourceFile> {
  const handle = await openFile(location, path);
  try {
    const { size } = await handle.stat();
    const head = Buffer.alloc(4);
    const { bytesRead } = await handle.read(head, 0, 4, 0);
    const executable = isProgram(head.subarray(0, bytesRead));
    return { path, size, executable, read: () => readWhole(location, path, size) };
  } finally {
    await handle.close();
  }
}

/**
 * Told by the content (`#!`, ELF, Mach-O), since the mode on disk depends on the machine, on who cloned the folder and
 * with what it was unpacked.
 */
function isProgram(head: Buffer): boolean {
  return head.toString("latin1").startsWith("#!") || ["7f454c46", "cffaedfe"].includes(head.toString("hex"));
}

async function* readWhole(location: string, path: string, size: number): AsyncGenerator<Buffer> {
  const handle = await openFile(location, path);
  try {
    let total = 0;
    for await (const chunk of handle.createReadStream({ autoClose: false, highWaterMark: 256 * 1024 })) {
      total += (chunk as Buffer).length;
      if (total > size) break;
      yield chunk as Buffer;
    }
    if (total !== size) throw changed(path);
  } finally {
    await handle.close();
  }
}

async function openFile(location: string, path: string): Promise<FileHandle> {
  const handle = await open(location, readFlags).catch(unreadable(path));
  if ((await handle.stat()).isFile()) return handle;
  await handle.close();
  throw changed(path);
}

const changed = (path: string): RegistryError =>
  new RegistryError("conflict", "FILE_CHANGED", `${printable(path)}: changed while it was packed; pack again`);

function unreadable(path: string): (error: NodeJS.ErrnoException) => never {
  return (error) => {
    throw unreadableError(path, error.code ?? error.message);
  };
}

function unreadableError(path: string, code: string): RegistryError {
  const shown = path === "" ? "The folder" : printable(path);
  return invalid("UNREADABLE", `${shown}: cannot be read (${code}); change its rights, or list it in ${ignoreFile}`);
}

function special(path: string, entry: Dirent<Buffer>): RegistryError {
  const remedy = entry.isSymbolicLink()
    ? "is a symbolic link, and links are not followed; put a copy of what it points to in its place"
    : `is a ${nameOf(entry)}; remove it`;
  const message = `${printable(path)}: ${remedy}, or list it in ${ignoreFile}`;
  const fields = [{ pointer: `archive:${printable(path)}`, reason: message }];
  return new RegistryError("rejected", "SPECIAL_ENTRY", message, { fields });
}

function nameOf(entry: Dirent<Buffer>): string {
  return entry.isFIFO() ? "named pipe" : entry.isSocket() ? "socket" : "device or other special file";
}

const tooMany = ({ entries }: ArchiveLimits): RegistryError =>
  new RegistryError(
    "too_large",
    "TOO_MANY_ENTRIES",
    `The folder holds more than the ${entries} files of LIMIT_ENTRIES; is it the right one? Else list what is not needed in ${ignoreFile}`,
  );

const tooLarge = ({ unpackedBytes }: ArchiveLimits): RegistryError =>
  new RegistryError(
    "too_large",
    "UNPACKED_TOO_LARGE",
    `The folder holds more than the ${Math.min(unpackedBytes, largestZip)} bytes of LIMIT_UNPACKED_BYTES; is it the right one? Else list what is not needed in ${ignoreFile}`,
  );
