import type { Readable } from "node:stream";

/**
 * The port for bytes. Keys are `[a-z][a-z0-9/_.-]{0,255}`, chosen by the storage service alone. Their parts between
 * slashes are 1 to 200 characters long and do not begin with a dot (so there is no `..`, `//` or trailing slash); anything
 * else fails with kind `invalid_argument`, reason `INVALID_BLOB_KEY`. No key may be another one's folder (`a` and `a/b`):
 * some stores cannot hold both, and fail the second with kind `conflict`, reason `BLOB_KEY_CONFLICT`.
 *
 * Guarantees that every adapter gives, and that the conformance suite checks:
 * - an object is there whole or not at all: a write that fails, is aborted or dies leaves nothing that `stat`,
 *   `read` or `list` would show; only where it fails with kind `unavailable` the store may have finished it, whole, before
 *   its answer was lost;
 * - once `put`, `putFile`, `move` or `delete` resolved it is durable and seen by every client of the store;
 * - every call is bounded in time and fails with kind `unavailable` when the store is away; time in which a source gives
 *   nothing or a reader takes nothing is not counted: whoever feeds or reads a stream bounds it with `signal`;
 * - nothing is buffered whole, neither on writing nor on reading; a reader that is destroyed frees its resources;
 * - a call whose signal is aborted fails with kind `cancelled`, reason `CANCELLED`; an error of the source is passed on
 *   as it is.
 */
export interface BlobStat {
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  readonly modifiedAt: Date;
}

export interface PutOptions {
  /** Bytes that will come; the write fails (kind `invalid_argument`, reason `SIZE_MISMATCH`) if there are more or fewer. */
  readonly size: number;
  readonly contentType?: string;
  readonly signal?: AbortSignal;
}

export interface ReadOptions {
  /** First byte, from 0. Default 0. */
  readonly start?: number;
  /** Last byte, inclusive; one past the end means the end. Default: the end. */
  readonly end?: number;
  /** Ends the stream too, at any time until its end. */
  readonly signal?: AbortSignal;
}

export interface PresignOptions {
  /** Seconds that the URL lives, 1 to 604800. */
  readonly expiresSeconds: number;
  /** File name for `Content-Disposition: attachment`; printable ASCII without quotes and backslashes, up to 200 characters. */
  readonly filename?: string;
  readonly contentType?: string;
}

export interface Blobs {
  /**
   * Writes an object only if the key is free.
   * @returns "created", or "exists" where an object was there already (it is left as it is and `source` is destroyed)
   */
  put(key: string, source: Readable, options: PutOptions): Promise<"created" | "exists">;
  /** Puts a finished local file, by moving it where that is possible (the file may be gone afterwards). */
  putFile(key: string, path: string, options: PutOptions): Promise<"created" | "exists">;
  /**
   * Moves an object to a free key without its bytes passing through this process. An object moved onto itself stays
   * ("exists"). Objects that are moved to the same key must have the same bytes: of two moves at once some S3 servers keep
   * the later one, and both are told "created".
   * @returns "exists" where the target was there already (the source is removed all the same)
   * @throws kind `not_found`, reason `BLOB_NOT_FOUND`, where there is no source and no target
   */
  move(from: string, to: string): Promise<"created" | "exists">;
  /** Undefined where there is none. */
  stat(key: string): Promise<BlobStat | undefined>;
  /**
   * @throws kind `not_found`, reason `BLOB_NOT_FOUND`
   * @throws kind `out_of_range`, reason `RANGE_NOT_SATISFIABLE`, where `start` is at or after the end (but byte 0 of an
   *   empty object is an empty stream)
   * @throws kind `invalid_argument`, reason `INVALID_RANGE`, where the range is not two whole numbers in order
   */
  read(key: string, options?: ReadOptions): Promise<Readable>;
  /** True if something was deleted; of several deletions at once more than one may say so. */
  delete(key: string): Promise<boolean>;
  /** Every object below a prefix that ends with `/` (or is empty: every object), in no promised order. */
  list(prefix: string): AsyncIterable<BlobStat>;
  /**
   * A URL that gives the bytes without further credentials; undefined where the store has no such thing (files).
   * It is signed without asking the store, so it may name an object that is not there.
   */
  presignGet(key: string, options: PresignOptions): Promise<string | undefined>;
  /** Resolves if the store answers and can write; fails with kind `unavailable` otherwise. */
  ping(): Promise<void>;
  /** Frees connections; calls after it fail. */
  close(): Promise<void>;
}
