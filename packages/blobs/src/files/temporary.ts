import { createHash, randomUUID } from "node:crypto";
import { mkdir, readdir, stat, unlink } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { systemCode } from "./errors.ts";

/** Below the blob directory; no key can reach it, since a key's parts do not begin with a dot. */
export const temporaryFolder = ".tmp";

/** A file that nobody wrote to for so long has lost its writer, whatever else its name says. */
const abandonedMs = 24 * 60 * 60 * 1000;

const host = createHash("sha256").update(hostname()).digest("hex").slice(0, 12);
const namePattern = /^([0-9a-f]{12})\.([0-9]{1,10})\.[0-9a-f-]{36}$/;

/** A path of its own for a file that is being written, named after the process that writes it. */
export const temporaryPath = (directory: string): string =>
  join(directory, temporaryFolder, `${host}.${process.pid}.${randomUUID()}`);

/** Makes the folder and removes what writers that are gone have left in it. */
export async function openTemporary(directory: string, now: () => Date): Promise<void> {
  const folder = join(directory, temporaryFolder);
  await mkdir(folder, { recursive: true });
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    if (await isStale(path, name, now().getTime())) await unlink(path).catch(() => undefined);
  }
}

async function isStale(path: string, name: string, nowMs: number): Promise<boolean> {
  const [, writerHost, writerPid] = namePattern.exec(name) ?? [];
  if (writerHost === undefined || writerPid === undefined) return false;
  const modifiedMs = await modified(path);
  if (modifiedMs === undefined) return false;
  if (nowMs - modifiedMs > abandonedMs) return true;
  if (writerHost !== host) return false;
  // In a container every process may have the same id: what was last written before this one began is a predecessor's.
  if (Number(writerPid) === process.pid) return modifiedMs < nowMs - process.uptime() * 1000;
  return !isAlive(Number(writerPid));
}

async function modified(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).mtimeMs;
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) !== "ESRCH";
  }
}
