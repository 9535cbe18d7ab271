import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Blobs, openFileBlobs } from "@registry/blobs";
import { CatalogServiceDefinition, type FilterReferencedRequest } from "@registry/contracts/catalog";
import {
  type CollectGarbageResponse,
  type ReadBlobRequest,
  StorageServiceDefinition,
  type Upload,
} from "@registry/contracts/storage";
import { type Documents, openSqliteDocuments } from "@registry/documents";
import { RegistryError, unavailable } from "@registry/domain";
import { type CallOptions, issueTicket, type Service, type ServiceClient, services } from "@registry/kit";
import { createTestSurroundings, type TestSurroundings, userCaller } from "@registry/kit/testing";
import { type StorageConfig, storageSettings } from "../config.ts";
import { createStorageService } from "../storage.ts";
import type { Fuse } from "./fuse.ts";
import { messagesOf, type SendOptions } from "./packages.ts";

export interface StackOptions {
  readonly config?: Partial<StorageConfig>;
  /** Lets a step of the stores fail. */
  readonly fuse?: Fuse;
  /** Puts something before the object store that the service sees. */
  readonly wrap?: (blobs: Blobs) => Blobs;
  /** Another stack, whose stores and catalog this one shares as a second replica. */
  readonly besides?: Stack;
  /** In place of files. */
  readonly openBlobs?: () => Promise<Blobs>;
}

/** What the service read of a blob. */
export interface ReadAnswer {
  readonly size: number;
  readonly sha256: string;
  readonly derived: boolean;
  readonly bytes: Buffer;
  readonly largestChunk: number;
}

const collections = ["uploads", "blobs", "contents", "derived"] as const;

export function defaultConfig(): StorageConfig {
  const entries = Object.entries(storageSettings).map(([name, { fallback }]) => [name, fallback]);
  return { ...(Object.fromEntries(entries) as StorageConfig), GC_INTERVAL_SECONDS: 0, GC_CONFIRM_SECONDS: 0 };
}

/** The storage service with embedded stores and a catalog that refers to what a test says. */
export class Stack {
  readonly surroundings: TestSurroundings;
  readonly service: Service;
  readonly documents: Documents;
  /** The store itself, whatever was put before it. */
  readonly blobs: Blobs;
  readonly folder: string;
  readonly catalog: FakeCatalog;
  readonly storage: ServiceClient<typeof StorageServiceDefinition>;

  private constructor(parts: Pick<Stack, "surroundings" | "service" | "documents" | "blobs" | "folder" | "catalog">) {
    this.surroundings = parts.surroundings;
    this.service = parts.service;
    this.documents = parts.documents;
    this.blobs = parts.blobs;
    this.folder = parts.folder;
    this.catalog = parts.catalog;
    this.storage = parts.surroundings.clients.of(StorageServiceDefinition);
  }

  static async start(options: StackOptions = {}): Promise<Stack> {
    const { besides, fuse, wrap = (blobs) => blobs, config } = options;
    const folder = besides?.folder ?? (await mkdtemp(join(tmpdir(), "storage-test-")));
    const surroundings = createTestSurroundings({ service: "storage" });
    const documents = besides?.documents ?? (await openSqliteDocuments({ path: join(folder, "storage.db") }));
    const openBlobs = options.openBlobs ?? (() => openFileBlobs({ directory: join(folder, "blobs") }));
    const blobs = besides?.blobs ?? (await openBlobs());
    const catalog = besides?.catalog ?? new FakeCatalog();
    const seen = { documents, blobs: wrap(blobs) };
    const stores = fuse === undefined ? seen : { documents: fuse.documents(documents), blobs: fuse.wrap(seen.blobs) };
    const service = await createStorageService(
      { ...defaultConfig(), ...config },
      { ...surroundings, ...stores, workDirectory: join(folder, "tmp") },
    );
    for (const table of service.tables) surroundings.host(table);
    surroundings.host(catalog.table);
    await service.start();
    return new Stack({ surroundings, service, documents, blobs, folder, catalog });
  }

  /** Ends a replica and leaves the shared stores to the stack that made them. */
  async leave(): Promise<void> {
    await this.service.close();
    this.surroundings.close();
  }

  async close(): Promise<void> {
    await this.leave();
    await this.documents.close();
    await this.blobs.close();
    await rm(this.folder, { recursive: true });
  }

  asPublisher(id = 1): CallOptions {
    return this.surroundings.as(userCaller(`user-${id}`, "publisher", id));
  }

  asService(name: string): CallOptions {
    return this.surroundings.as({ type: "service", name });
  }

  asAdmin(): CallOptions {
    return { ...this.surroundings.as(userCaller("root", "admin", 99)), timeoutMs: 60_000 };
  }

  ticket(digest: string, seconds?: number): string {
    return issueTicket(this.surroundings.keys, "blob", digest, this.surroundings.clock.now(), seconds);
  }

  async upload(bytes: Uint8Array, options: SendOptions = {}, as = this.asPublisher()): Promise<Upload> {
    const { upload } = await this.storage.uploadPackage(messagesOf(bytes, options), { ...as, timeoutMs: 60_000 });
    if (upload === undefined) throw new Error("an upload without an answer");
    return upload;
  }

  async commit(uploadId: string): Promise<string> {
    return (await this.storage.commitUpload({ uploadId }, this.asService("catalog"))).sha256;
  }

  /** What a publish does: uploads, refers, commits. */
  async publish(bytes: Uint8Array): Promise<string> {
    const upload = await this.upload(bytes);
    this.catalog.referenced.add(upload.sha256);
    return await this.commit(upload.id);
  }

  async read(request: Partial<ReadBlobRequest>, as = this.asService("gateway")): Promise<ReadAnswer> {
    const chunks: Buffer[] = [];
    let header: { size: number; sha256: string; derived: boolean } | undefined;
    for await (const { part } of this.storage.readBlob(request, as)) {
      if (part?.$case === "header") header = part.value;
      else if (part?.$case === "chunk") chunks.push(Buffer.from(part.value));
    }
    if (header === undefined) throw new Error("an answer without a header");
    const largestChunk = Math.max(0, ...chunks.map((chunk) => chunk.length));
    return { ...header, bytes: Buffer.concat(chunks), largestChunk };
  }

  async readFile(sha256: string, path: string, as = this.asService("gateway")): Promise<Buffer> {
    const chunks: Uint8Array[] = [];
    for await (const { chunk } of this.storage.readPackageFile({ sha256, path }, as)) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  async collectGarbage(dryRun = false): Promise<CollectGarbageResponse> {
    return await this.storage.collectGarbage({ dryRun }, this.asAdmin());
  }

  async keys(prefix = ""): Promise<string[]> {
    const keys: string[] = [];
    for await (const { key } of this.blobs.list(prefix)) keys.push(key);
    return keys.sort();
  }

  /** Everything that is kept anywhere: objects, documents, files on the local disk. */
  async everything(): Promise<readonly string[]> {
    const found = (await this.keys()).map((key) => `object ${key}`);
    for (const name of collections) {
      const collection = await this.documents.collection({ name, indexes: [] });
      for (const { _id } of await collection.find({})) found.push(`document ${name}/${_id}`);
    }
    return [...found, ...(await this.localFiles())];
  }

  async localFiles(): Promise<readonly string[]> {
    const folders = [join(this.folder, "tmp", "storage"), join(this.folder, "blobs", ".tmp")];
    const lists = await Promise.all(folders.map((folder) => readdir(folder, { recursive: true }).catch(() => [])));
    return lists.flat().map((name) => `file ${name}`);
  }
}

/** Refers to the digests that a test names. */
export class FakeCatalog {
  readonly referenced = new Set<string>();
  isAway = false;
  /** Runs after an answer was decided and before it arrives. */
  beforeAnswer: () => Promise<void> = async () => undefined;

  readonly table = {
    definition: CatalogServiceDefinition,
    rows: {
      filterReferenced: {
        allow: services("storage"),
        handle: async (request: unknown) => {
          if (this.isAway) throw unavailable("The catalog");
          const { digests } = request as FilterReferencedRequest;
          if (digests.length > 1000) throw new Error("more digests than the contract allows");
          const referenced = digests.filter((digest) => this.referenced.has(digest));
          await this.beforeAnswer();
          return { referenced };
        },
      },
    },
  };
}

/** The reason that a call was refused for, or "none" where it was not. */
export async function reasonOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return "none";
  } catch (error) {
    return error instanceof RegistryError ? error.reason : `not a RegistryError: ${error}`;
  }
}
