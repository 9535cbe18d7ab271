import { createHash } from "node:crypto";
import { Packing, type ReadBlobResponse, type StorageServiceDefinition } from "@registry/contracts/storage";
import { isAway, RegistryError } from "@registry/domain";
import {
  anySignal,
  type CacheFigures,
  type CallOptions,
  type Clock,
  deadlineExceeded,
  type PassedOn,
  type ServiceClient,
} from "@registry/kit";
import { BytesCache } from "./cache.ts";

/** Which bytes. */
export interface BlobRef {
  /** Of the original archive. */
  readonly sha256: string;
  /** Of the original archive, where it is known. */
  readonly size?: number;
  readonly packing: Packing;
  /** For tar.gz. */
  readonly topFolder: string;
}

export interface BlobDescription {
  readonly size: number;
  /** Of the bytes that are sent. */
  readonly sha256: string;
  readonly derived: boolean;
}

/** Packages up to this size are kept in memory. */
const smallBytes = 1024 * 1024;
const maxDescriptions = 10_000;
/** A stream takes as long as its reader does; when a service ends it earlier, it is taken up where it stopped. */
const streamMs = 900_000;
const maxFailures = 3;

/** Reads packages from storage: rights were checked by whoever asks. */
export class Blobs {
  readonly #storage: ServiceClient<typeof StorageServiceDefinition>;
  readonly #clock: Clock;
  readonly #bytes: BytesCache;
  readonly #descriptions = new Map<string, BlobDescription>();

  constructor(storage: ServiceClient<typeof StorageServiceDefinition>, clock: Clock, cacheBytes: number) {
    this.#storage = storage;
    this.#clock = clock;
    this.#bytes = new BytesCache(cacheBytes);
  }

  /** Of the packages in memory. */
  get figures(): CacheFigures {
    return this.#bytes.figures;
  }

  /** Size and digest of the bytes, without reading them. @throws RegistryError */
  async describe(ref: BlobRef, context: PassedOn): Promise<BlobDescription> {
    if (ref.packing === Packing.PACKING_ORIGINAL && ref.size !== undefined) {
      return { size: ref.size, sha256: ref.sha256, derived: false };
    }
    const key = keyOf(ref);
    const known = this.#descriptions.get(key);
    if (known !== undefined) return known;
    const stream = this.#storage.readBlob(requestFor(ref, 0, 1), this.#options(context, context.deadline));
    let described: BlobDescription | undefined;
    // The whole one-byte stream is read to its end: leaving early would count as a cancelled call.
    for await (const message of stream) described ??= headerOf(message);
    if (described === undefined) throw new RegistryError("internal", "INTERNAL", "storage answered without a header");
    if (this.#descriptions.size >= maxDescriptions) this.#descriptions.clear();
    this.#descriptions.set(key, described);
    return described;
  }

  /** All bytes at once, for what is small enough to be kept in memory; undefined for what is not. */
  async small(ref: BlobRef, description: BlobDescription, context: PassedOn): Promise<Buffer | undefined> {
    if (description.size > smallBytes) return undefined;
    const key = keyOf(ref);
    const known = this.#bytes.get(key);
    if (known !== undefined) return known;
    const chunks: Uint8Array[] = [];
    for await (const chunk of this.read(ref, 0, description.size, context)) chunks.push(chunk);
    const bytes = Buffer.concat(chunks);
    if (createHash("sha256").update(bytes).digest("hex") !== description.sha256) {
      throw new RegistryError("unavailable", "BLOB_DAMAGED", "The stored package does not match its digest");
    }
    this.#bytes.set(key, bytes);
    return bytes;
  }

  /** Exactly `length` bytes from `offset`, or an error. The first of them are there by the context's deadline, or never. */
  async *read(ref: BlobRef, offset: number, length: number, context: PassedOn): AsyncGenerator<Uint8Array> {
    const late = new AbortController();
    const left = context.deadline.getTime() - this.#clock.now().getTime();
    const timer = setTimeout(() => late.abort(deadlineExceeded()), left);
    const signal = anySignal(context.signal, late.signal);
    try {
      for await (const chunk of this.#resumed(ref, offset, length, { ...context, signal })) {
        clearTimeout(timer);
        yield chunk;
      }
    } catch (error) {
      throw late.signal.aborted ? late.signal.reason : error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** A stream that breaks is taken up again where it stopped, which is sound since the bytes belong to a digest. */
  async *#resumed(ref: BlobRef, offset: number, length: number, context: PassedOn): AsyncGenerator<Uint8Array> {
    let sent = 0;
    for (let failures = 0; sent < length; ) {
      try {
        for await (const chunk of this.#chunks(ref, offset + sent, length - sent, context)) {
          sent += chunk.length;
          failures = 0;
          yield chunk;
        }
        if (sent < length) throw new RegistryError("unavailable", "BLOB_ENDED_SHORT", "The stored package ended early");
      } catch (error) {
        failures += 1;
        if (failures >= maxFailures || context.signal.aborted || !isAway(error)) throw error;
      }
    }
  }

  async *#chunks(ref: BlobRef, offset: number, length: number, context: PassedOn): AsyncGenerator<Uint8Array> {
    const end = new Date(this.#clock.now().getTime() + streamMs);
    let left = length;
    for await (const { part } of this.#storage.readBlob(requestFor(ref, offset, length), this.#options(context, end))) {
      if (part?.$case !== "chunk") continue;
      // More than was asked for is never passed on, whatever came.
      const chunk = part.value.subarray(0, left);
      left -= chunk.length;
      if (chunk.length > 0) yield chunk;
    }
  }

  #options(context: PassedOn, deadline: Date): CallOptions {
    return { context: { ...context, deadline }, as: "service", timeoutMs: streamMs };
  }
}

function keyOf({ sha256, packing, topFolder }: BlobRef): string {
  return `${sha256} ${packing} ${topFolder}`;
}

function requestFor(
  { sha256, packing, topFolder }: BlobRef,
  offset: number,
  length: number,
): { sha256: string; packing: Packing; topFolder: string; offset: number; length: number } {
  return { sha256, packing, topFolder, offset, length };
}

function headerOf({ part }: ReadBlobResponse): BlobDescription | undefined {
  return part?.$case === "header" ? part.value : undefined;
}
