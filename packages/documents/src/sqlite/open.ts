import { closeSync, fsyncSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { unavailable } from "@registry/domain";
import type { Log } from "../log.ts";
import { checkCollectionSpec } from "../model/specs.ts";
import type { Collection, CollectionSpec, Document, Documents } from "../port.ts";
import { SqliteCollection, type Store } from "./collection.ts";
import { Database } from "./database.ts";
import { lockFile } from "./lock.ts";
import { newMultikey } from "./schema.ts";
import { WriteQueue } from "./write-queue.ts";

export interface SqliteDocumentsOptions {
  /** The database file. Made, with its folder, where it is not there. */
  readonly path: string;
  /** How long a write may wait for the disk, in milliseconds; 15,000 unless given. */
  readonly timeoutMs?: number;
  readonly log?: Log;
}

/** A new file's name is durable only once its folder is. */
function syncFolder(path: string): void {
  const folder = openSync(dirname(path), "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

class SqliteDocuments implements Documents {
  readonly #store: Store;
  readonly #release: () => void;
  readonly #collections = new Map<string, SqliteCollection<Document>>();
  #closing: Promise<void> | undefined;

  constructor(store: Omit<Store, "ensureOpen">, release: () => void) {
    this.#release = release;
    this.#store = {
      ...store,
      ensureOpen: () => {
        if (this.#closing !== undefined) throw unavailable("the document store");
      },
    };
  }

  async collection<T extends Document>(spec: CollectionSpec): Promise<Collection<T>> {
    checkCollectionSpec(spec);
    const info = await this.#store.queue.submit({ kind: "open", spec });
    const known = this.#collections.get(spec.name);
    if (known === undefined) this.#collections.set(spec.name, new SqliteCollection(this.#store, info));
    else known.refresh(info);
    // One object serves all callers of a name; which T it holds is the callers' agreement.
    return this.#collections.get(spec.name) as unknown as Collection<T>;
  }

  async ping(): Promise<void> {
    await this.#store.queue.submit({ kind: "ping" });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    // The writer goes last: who closes the file last folds the log into it.
    this.#store.reader.close();
    try {
      await this.#store.queue.close();
    } finally {
      this.#release();
    }
  }
}

/**
 * Opens one service's database in a file of this machine. The file belongs to this process until `close`, or until
 * the process ends in whatever way.
 * @throws RegistryError `DATA_DIR_IN_USE` (kind `conflict`); `DATA_DIR_UNUSABLE`, `DATA_FORMAT_TOO_NEW` and others of
 *   kind `unavailable`
 */
export async function openSqliteDocuments(options: SqliteDocumentsOptions): Promise<Documents> {
  const { path, timeoutMs = 15_000, log } = options;
  const release = lockFile(path);
  try {
    const multikey = newMultikey();
    const queue = await WriteQueue.start({ path, multikey, timeoutMs }, log);
    syncFolder(path);
    const reader = new Database(path, { readOnly: true, timeoutMs });
    return new SqliteDocuments({ reader, queue, multikey }, release);
  } catch (error) {
    release();
    throw error;
  }
}
