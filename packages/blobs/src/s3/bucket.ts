import { randomUUID } from "node:crypto";
import { isRegistryError } from "@registry/domain";
import type { Client } from "minio";
import type { Connection } from "./connection.ts";
import { s3Code } from "./errors.ts";

/** Objects of ours that are no blobs: their names are no keys, so no list shows them. */
const pingName = ".ping";

/** The bucket, made where it is absent, and what its server can do; found out at the first call that needs it. */
export class Bucket {
  readonly #connection: Connection;
  #exists: Promise<void> | undefined;
  #createOnly: Promise<boolean> | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** @throws kind `unavailable`; the next call tries again */
  async ready(): Promise<void> {
    this.#exists ??= this.#connection.call((client) => this.#ensure(client));
    try {
      await this.#exists;
    } catch (error) {
      this.#exists = undefined;
      throw error;
    }
  }

  /** To be told of a failed call: if it failed because the bucket is gone, the next one makes it again. */
  noteFailure(error: unknown): void {
    const cause = isRegistryError(error) ? error.cause : error;
    if (s3Code(cause) === "NoSuchBucket") this.#exists = undefined;
  }

  /** True where the server refuses to overwrite when it is asked to; servers differ, and some ignore the question. */
  async createsOnly(): Promise<boolean> {
    this.#createOnly ??= this.#connection.call((client) => this.#probe(client));
    try {
      return await this.#createOnly;
    } catch (error) {
      this.#createOnly = undefined;
      throw error;
    }
  }

  async ping(): Promise<void> {
    await this.#connection.call(async (client) => {
      await this.#putEmpty(client, pingName, {});
      await client.removeObject(this.#connection.bucket, pingName);
    });
  }

  async #ensure(client: Client): Promise<void> {
    const { bucket, region } = this.#connection;
    try {
      if (await client.bucketExists(bucket)) return;
      await client.makeBucket(bucket, region);
    } catch (error) {
      const code = s3Code(error) ?? "";
      // Keys may have the right to use a bucket without the right to ask about it.
      if (!["AccessDenied", "BucketAlreadyOwnedByYou", "BucketAlreadyExists"].includes(code)) throw error;
    }
  }

  async #probe(client: Client): Promise<boolean> {
    const name = `.create-only/${randomUUID()}`;
    await this.#putEmpty(client, name, {});
    try {
      await this.#putEmpty(client, name, { "if-none-match": "*" });
      return false;
    } catch (error) {
      const code = s3Code(error) ?? "";
      if (code === "PreconditionFailed") return true;
      if (["NotImplemented", "MethodNotAllowed", "InvalidArgument", "InvalidRequest"].includes(code)) return false;
      throw error;
    } finally {
      await client.removeObject(this.#connection.bucket, name);
    }
  }

  async #putEmpty(client: Client, objectName: string, headers: Record<string, string>): Promise<void> {
    const { bucket, region } = this.#connection;
    await client.makeRequestAsyncOmit({ method: "PUT", bucketName: bucket, objectName, headers }, "", [200], region);
  }
}
