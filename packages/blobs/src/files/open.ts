import { createReadStream } from "node:fs";
import { lstat, mkdir, open, unlink, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Readable } from "node:stream";
import { unavailable } from "@registry/domain";
import { abortable } from "../abortable.ts";
import type { BlobStat, Blobs, PresignOptions, PutOptions, ReadOptions } from "../port.ts";
import {
  blobNotFound,
  checkKey,
  checkPrefix,
  checkPresign,
  checkPut,
  checkRead,
  resolveRange,
  sizeMismatch,
} from "../rules.ts";
import { linkDurably, unlinkDurably } from "./durable.ts";
import { systemCode, translate, translated } from "./errors.ts";
import { statFile, walk } from "./list.ts";
import { openTemporary, temporaryPath } from "./temporary.ts";
import { writeSynced } from "./write.ts";

/** Large enough that a gRPC stream made of such chunks is not bound by its messages' number. */
const chunkBytes = 256 * 1024;

export interface FileBlobsOptions {
  /** Made where it is absent. All of it belongs to the store; it must support hard links. */
  readonly directory: string;
  /** Tells how old a left temporary file is. Default: the system's clock. */
  readonly now?: () => Date;
}

/**
 * Blobs as files below a directory, for one machine.
 * @throws kind `unavailable` where the directory cannot be made or read
 */
export async function openFileBlobs(options: FileBlobsOptions): Promise<Blobs> {
  const directory = resolve(options.directory);
  try {
    await mkdir(directory, { recursive: true });
    await openTemporary(directory, options.now ?? (() => new Date()));
  } catch (error) {
    throw unavailable("The blob directory", error);
  }
  return new FileBlobs(directory);
}

class FileBlobs implements Blobs {
  readonly #directory: string;
  #closed = false;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async put(key: string, source: Readable, options: PutOptions): Promise<"created" | "exists"> {
    // Without a listener, a source that fails between two awaits would end the process.
    source.on("error", () => undefined);
    try {
      checkPut(key, options);
      return await this.#work(async () => {
        if ((await statFile(this.#directory, key)) !== undefined) return "exists";
        const temporary = temporaryPath(this.#directory);
        await writeSynced(temporary, source, options);
        try {
          return await linkDurably(this.#directory, temporary, this.#path(key));
        } finally {
          await unlink(temporary);
        }
      });
    } finally {
      source.destroy();
    }
  }

  async putFile(key: string, path: string, options: PutOptions): Promise<"created" | "exists"> {
    checkPut(key, options);
    const linked = await this.#work(() => this.#linkFile(key, path, options.size));
    return linked ?? (await this.put(key, createReadStream(path, { highWaterMark: chunkBytes }), options));
  }

  /** @returns undefined where the file can only be copied: a symbolic link, or one on another file system */
  async #linkFile(key: string, path: string, size: number): Promise<"created" | "exists" | undefined> {
    const found = await lstat(path);
    if (!found.isFile()) return undefined;
    if (found.size !== size) throw sizeMismatch(size, found.size);
    const handle = await open(path, "r");
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
    try {
      const result = await linkDurably(this.#directory, path, this.#path(key));
      await unlink(path);
      return result;
    } catch (error) {
      if (["EXDEV", "EPERM", "EMLINK"].includes(systemCode(error) ?? "")) return undefined;
      throw error;
    }
  }

  async move(from: string, to: string): Promise<"created" | "exists"> {
    checkKey(from);
    checkKey(to);
    return await this.#work(async () => {
      if (from === to) return await this.#existing(to);
      let result: "created" | "exists";
      try {
        result = await linkDurably(this.#directory, this.#path(from), this.#path(to));
      } catch (error) {
        if (systemCode(error) !== "ENOENT") throw error;
        return await this.#existing(to);
      }
      await unlinkDurably(this.#directory, this.#path(from));
      return result;
    });
  }

  async #existing(key: string): Promise<"exists"> {
    if ((await statFile(this.#directory, key)) === undefined) throw blobNotFound();
    return "exists";
  }

  async stat(key: string): Promise<BlobStat | undefined> {
    checkKey(key);
    return await this.#work(() => statFile(this.#directory, key));
  }

  async read(key: string, options: ReadOptions = {}): Promise<Readable> {
    checkRead(key, options);
    return await this.#work(async () => {
      const handle = await open(this.#path(key), "r").catch((error: unknown) => {
        throw ["ENOENT", "ENOTDIR"].includes(systemCode(error) ?? "") ? blobNotFound() : error;
      });
      try {
        const found = await handle.stat();
        if (!found.isFile()) throw blobNotFound();
        const { start, length } = resolveRange(found.size, options);
        const end = length === 0 ? {} : { end: start + length - 1 };
        return abortable(handle.createReadStream({ start, ...end, highWaterMark: chunkBytes }), options.signal);
      } catch (error) {
        await handle.close();
        throw error;
      }
    });
  }

  async delete(key: string): Promise<boolean> {
    checkKey(key);
    return await this.#work(async () => {
      if ((await statFile(this.#directory, key)) === undefined) return false;
      return await unlinkDurably(this.#directory, this.#path(key));
    });
  }

  async *list(prefix: string): AsyncGenerator<BlobStat> {
    checkPrefix(prefix);
    this.#checkOpen();
    try {
      yield* walk(this.#directory, prefix);
    } catch (error) {
      throw translate(error);
    }
  }

  async presignGet(key: string, options: PresignOptions): Promise<undefined> {
    checkPresign(key, options);
  }

  async ping(): Promise<void> {
    await this.#work(async () => {
      const path = temporaryPath(this.#directory);
      await writeFile(path, "ping");
      await unlink(path);
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  #path(key: string): string {
    return join(this.#directory, key);
  }

  #checkOpen(): void {
    if (this.#closed) throw unavailable("The blob store");
  }

  #work<T>(work: () => Promise<T>): Promise<T> {
    return translated(async () => {
      this.#checkOpen();
      return await work();
    });
  }
}
