import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import type { Readable } from "node:stream";
import { RegistryError, unavailable } from "@registry/domain";
import type { Client } from "minio";
import type { BlobStat, Blobs, PresignOptions, PutOptions, ReadOptions } from "../port.ts";
import {
  blobNotFound,
  checkKey,
  checkPrefix,
  checkPresign,
  checkPut,
  checkRead,
  isKey,
  sizeMismatch,
} from "../rules.ts";
import { Bucket } from "./bucket.ts";
import { Connection, type S3BlobsOptions } from "./connection.ts";
import { download } from "./download.ts";
import { s3Code, translate } from "./errors.ts";
import { upload } from "./upload.ts";

export type { S3BlobsOptions } from "./connection.ts";

/** What S3 takes in one PUT or copy. */
const maxObjectBytes = 5 * 1024 ** 3;
/** Slower than this a server-side copy counts as hanging. */
const copyBytesPerMs = 10_000;

/**
 * Blobs in a bucket of any S3 server, by plain calls: PUT, GET, HEAD, DELETE, copy, list version 2.
 * Asks the server nothing yet: one that is away fails the calls, with kind `unavailable`, until it is there.
 * @throws kind `invalid_argument`, reason `INVALID_S3_OPTIONS`
 */
export async function openS3Blobs(options: S3BlobsOptions): Promise<Blobs> {
  return new S3Blobs(new Connection(options));
}

class S3Blobs implements Blobs {
  readonly #connection: Connection;
  readonly #bucket: Bucket;
  readonly #publicClient: Client | undefined;
  #closed = false;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#bucket = new Bucket(connection);
    this.#publicClient = connection.publicClient();
  }

  async put(key: string, source: Readable, options: PutOptions): Promise<"created" | "exists"> {
    // Without a listener, a source that fails between two awaits would end the process.
    source.on("error", () => undefined);
    try {
      checkPut(key, options);
      checkSize(options.size);
      return await this.#work(async () => {
        if ((await this.#find(key)) !== undefined) return "exists";
        return await this.#upload(key, source, options);
      });
    } finally {
      source.destroy();
    }
  }

  async #upload(key: string, source: Readable, options: PutOptions): Promise<"created" | "exists"> {
    const createOnly = await this.#bucket.createsOnly();
    const result = await upload(this.#connection, { key, source, options, createOnly });
    if (typeof result === "string") return result === "created" ? "created" : "exists";
    // A server may refuse by closing the connection while the body is on its way, and its answer is lost with it.
    if (createOnly && !result.answered && (await this.#find(key)) !== undefined) return "exists";
    throw result.failure;
  }

  async putFile(key: string, path: string, options: PutOptions): Promise<"created" | "exists"> {
    checkPut(key, options);
    const { size } = await stat(path);
    if (size !== options.size) throw sizeMismatch(options.size, size);
    return await this.put(key, createReadStream(path, { highWaterMark: 256 * 1024 }), options);
  }

  async move(from: string, to: string): Promise<"created" | "exists"> {
    checkKey(from);
    checkKey(to);
    return await this.#work(async () => {
      const [source, target] = await Promise.all([this.#find(from), this.#find(to)]);
      if (source === undefined && target === undefined) throw blobNotFound();
      if (source === undefined || from === to) return "exists";
      const result = target === undefined ? await this.#copy(source, to) : "exists";
      await this.#connection.call((client) => client.removeObject(this.#connection.bucket, from));
      return result;
    });
  }

  async #copy(source: BlobStat, to: string): Promise<"created" | "exists"> {
    const { bucket, timeoutMs } = this.#connection;
    checkSize(source.size);
    try {
      await this.#connection.call(
        (client) => client.copyObject(bucket, to, `/${bucket}/${source.key}`),
        timeoutMs + Math.ceil(source.size / copyBytesPerMs),
      );
      return "created";
    } catch (error) {
      const code = error instanceof Error ? s3Code(error.cause) : undefined;
      // Another one may have moved it while we asked.
      if (code !== "NoSuchKey" || (await this.#find(to)) === undefined)
        throw code === "NoSuchKey" ? blobNotFound() : error;
      return "exists";
    }
  }

  async stat(key: string): Promise<BlobStat | undefined> {
    checkKey(key);
    return await this.#work(() => this.#find(key));
  }

  async #find(key: string): Promise<BlobStat | undefined> {
    return await this.#connection.call(async (client) => {
      try {
        const { size, lastModified } = await client.statObject(this.#connection.bucket, key);
        return { key, size, modifiedAt: lastModified };
      } catch (error) {
        if (s3Code(error) === "NotFound") return undefined;
        throw error;
      }
    });
  }

  async read(key: string, options: ReadOptions = {}): Promise<Readable> {
    checkRead(key, options);
    return await this.#work(() => download(this.#connection, key, options));
  }

  async delete(key: string): Promise<boolean> {
    checkKey(key);
    return await this.#work(async () => {
      if ((await this.#find(key)) === undefined) return false;
      await this.#connection.call((client) => client.removeObject(this.#connection.bucket, key));
      return true;
    });
  }

  async *list(prefix: string): AsyncGenerator<BlobStat> {
    checkPrefix(prefix);
    let token = "";
    do {
      const page = await this.#work(() => this.#page(prefix, token));
      for (const { name, size, lastModified } of page.objects) {
        if (name !== undefined && isKey(name) && lastModified)
          yield { key: name, size, modifiedAt: new Date(lastModified) };
      }
      const next = page.isTruncated ? page.nextContinuationToken : "";
      // To end here would pass a part of the objects off as all of them.
      if (page.isTruncated && (next === "" || next === token)) throw translate(new Error("The list does not go on"));
      token = next;
    } while (token !== "");
  }

  #page(prefix: string, token: string): ReturnType<Client["listObjectsV2Query"]> {
    const { bucket } = this.#connection;
    return this.#connection.call((client) => client.listObjectsV2Query(bucket, prefix, token, "", 1000, ""));
  }

  async presignGet(key: string, options: PresignOptions): Promise<string | undefined> {
    checkPresign(key, options);
    const { expiresSeconds, filename, contentType } = options;
    return await this.#publicClient?.presignedGetObject(this.#connection.bucket, key, expiresSeconds, {
      ...(filename !== undefined && { "response-content-disposition": `attachment; filename="${filename}"` }),
      ...(contentType !== undefined && { "response-content-type": contentType }),
    });
  }

  async ping(): Promise<void> {
    await this.#work(() => this.#bucket.ping());
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#connection.close();
  }

  async #work<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed) throw unavailable("The blob store");
    try {
      await this.#bucket.ready();
      return await work();
    } catch (error) {
      this.#bucket.noteFailure(error);
      throw error;
    }
  }
}

function checkSize(size: number): void {
  if (size > maxObjectBytes) {
    throw new RegistryError("too_large", "BLOB_TOO_LARGE", `A blob may have up to ${maxObjectBytes} bytes`);
  }
}
