import { mkdirSync } from "node:fs";
import { basename, dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { RegistryError } from "@registry/domain";

/** SQLite's numbers: https://www.sqlite.org/rescode.html */
const busy = 5;

function isBusy(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && error.errcode === busy;
}

function refusal(path: string, cause: unknown): RegistryError {
  const file = basename(path);
  if (isBusy(cause)) {
    return new RegistryError(
      "conflict",
      "DATA_DIR_IN_USE",
      `the data file ${file} is in use by another process; stop that one first, give this one a data folder of its own, or let both share MongoDB, NATS and S3`,
      { cause },
    );
  }
  return new RegistryError(
    "unavailable",
    "DATA_DIR_UNUSABLE",
    `the data file ${file} cannot be opened; the data folder must be a folder that this user may write to`,
    { cause },
  );
}

/**
 * Takes the right to be the file's only user, for as long as this process lives: an open transaction on a database
 * beside it. The operating system frees it however the process ends. Nothing in this process may open and close
 * the lock file otherwise, for that would free it too.
 * @returns what frees it
 * @throws RegistryError `DATA_DIR_IN_USE`, `DATA_DIR_UNUSABLE`
 */
export function lockFile(path: string): () => void {
  let db: DatabaseSync | undefined;
  try {
    mkdirSync(dirname(path), { recursive: true });
    db = new DatabaseSync(`${path}.lock`, { timeout: 0 });
    db.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
    const locked = db;
    return () => locked.close();
  } catch (error) {
    db?.close();
    throw refusal(path, error);
  }
}
