import { readdirSync, renameSync, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { isProcessAlive } from "@registry/kit";

/** While it is written to, a file is `<stamp>-<id>.<pid>.open`; afterwards `<stamp>-<id>.jsonl`. */
const openFile = /^(\d{15}-[\w-]+)\.(\d+)\.open$/;

/** Longer than any living process leaves a file open without closing it. */
const abandonedAfterMs = 10_000;

export function openName(openedAt: number, id: string): string {
  return `${String(openedAt).padStart(15, "0")}-${id}.${process.pid}.open`;
}

export function closedPath(path: string): string {
  return path.replace(/\.\d+\.open$/, ".jsonl");
}

/**
 * Files that may be sent and deleted. Several gateways may share the directory, so a file that its process has not closed
 * is left alone while that process may still write to it: while a process of that number lives here, for as long as the
 * file may be open (the number says nothing where processes of several containers share the directory).
 * @returns paths, oldest first; unclosed files are closed by renaming
 */
export function leftBehind(directory: string, which: "all" | "unclosed", now: Date): string[] {
  return readdirSync(directory)
    .sort()
    .flatMap((name) => {
      if (name.endsWith(".jsonl")) return which === "all" ? [join(directory, name)] : [];
      const pid = openFile.exec(name)?.[2];
      return pid === undefined ? [] : take(join(directory, name), Number(pid), now);
    });
}

function take(path: string, pid: number, now: Date): string[] {
  const written = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
  if (written === undefined || (isProcessAlive(pid) && now.getTime() - written < abandonedAfterMs)) return [];
  try {
    renameSync(path, closedPath(path));
    return [closedPath(path)];
  } catch {
    // Its process closed it, or another one took it, in this very moment.
    return [];
  }
}

/** A file that somebody took away holds nothing, and holds nothing up. */
export async function readIfThere(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return "";
    throw error;
  }
}
