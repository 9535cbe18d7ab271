import { createHash } from "node:crypto";
import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { isProcessAlive } from "@registry/kit";

/** A folder that nobody touched for so long has lost its process, whatever else its name says. */
const abandonedMs = 24 * 60 * 60 * 1000;

const host = createHash("sha256").update(hostname()).digest("hex").slice(0, 12);
const namePattern = /^([0-9a-f]{12})\.([0-9]{1,10})\.[0-9a-f-]{36}$/;

/** Local disk for packages that are being received, read or repacked: one folder for each piece of work. */
export class Workspace {
  readonly #directory: string;
  readonly #newId: () => string;
  #made = false;

  constructor(directory: string, newId: () => string) {
    this.#directory = directory;
    this.#newId = newId;
  }

  /** Gives the work a new folder, and removes it with all that is in it once the work has ended. */
  async use<T>(work: (folder: string) => Promise<T>): Promise<T> {
    const folder = await this.make();
    try {
      return await work(folder);
    } finally {
      await this.remove(folder);
    }
  }

  /** A new folder that its owner removes. */
  async make(): Promise<string> {
    if (!this.#made) {
      await mkdir(this.#directory, { recursive: true });
      this.#made = true;
    }
    const folder = join(this.#directory, `${host}.${process.pid}.${this.#newId()}`);
    await mkdir(folder);
    return folder;
  }

  async remove(folder: string): Promise<void> {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }

  /** Removes what processes that are gone have left. */
  async removeStale(now: Date): Promise<number> {
    await mkdir(this.#directory, { recursive: true });
    let removed = 0;
    for (const name of await readdir(this.#directory)) {
      const path = join(this.#directory, name);
      if (!(await isStale(path, name, now))) continue;
      await this.remove(path);
      removed++;
    }
    return removed;
  }
}

async function isStale(path: string, name: string, now: Date): Promise<boolean> {
  const [, owner, pid] = namePattern.exec(name) ?? [];
  if (owner === undefined || pid === undefined) return false;
  const modifiedMs = await stat(path).then(
    (found) => found.mtimeMs,
    () => undefined,
  );
  if (modifiedMs === undefined) return false;
  if (now.getTime() - modifiedMs > abandonedMs) return true;
  if (owner !== host) return false;
  // In a container every process may have the same id: what is older than this one is a predecessor's.
  if (Number(pid) === process.pid) return modifiedMs < Date.now() - process.uptime() * 1000;
  return !isProcessAlive(Number(pid));
}
