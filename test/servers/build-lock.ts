import { DatabaseSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";

/**
 * Runs `work` while no other process of this machine runs one under the same lock. The lock is an SQLite file's: the system
 * frees it when its holder dies, so none is ever stale.
 *
 * @param waiting called once when another process holds the lock.
 * @throws when `milliseconds` have passed and another process still holds it.
 */
export async function withLock<Result>(
  file: string,
  milliseconds: number,
  waiting: () => void,
  work: () => Promise<Result>,
): Promise<Result> {
  const lock = new DatabaseSync(file, { timeout: 0 });
  try {
    const limit = performance.now() + milliseconds;
    for (let attempt = 0; !acquired(lock); attempt += 1) {
      if (attempt === 0) waiting();
      if (performance.now() > limit) throw new Error(`another process has held ${file} for too long`);
      await delay(200);
    }
    return await work();
  } finally {
    lock.close();
  }
}

function acquired(lock: DatabaseSync): boolean {
  try {
    lock.exec("BEGIN EXCLUSIVE");
    return true;
  } catch (error) {
    if (error instanceof Error && error.message.includes("locked")) return false;
    throw error;
  }
}
