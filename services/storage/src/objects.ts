import { join } from "node:path";
import type { Blobs } from "@registry/blobs";
import { type Digest, isRegistryError } from "@registry/domain";
import type { Clock, Gate } from "@registry/kit";
import type { Inspector } from "./inspector.ts";
import { blobNotFound } from "./model/errors.ts";
import { blobKey, derivedKey } from "./model/keys.ts";
import { isAlready, type OriginalForm, type WantedPacking } from "./model/packing.ts";
import type { BlobRecords } from "./store/blob-records.ts";
import type { DerivedRecord, DerivedRecords } from "./store/derived-records.ts";
import { copyToDisk, measure } from "./work/local-copy.ts";
import { SingleFlight } from "./work/single-flight.ts";
import type { Workspace } from "./work/workspace.ts";

/** An object of the store that can be read. */
export interface StoredObject {
  readonly key: string;
  readonly size: number;
  readonly sha256: string;
  readonly derived: boolean;
}

interface Original extends StoredObject, OriginalForm {}

interface Deps {
  readonly clock: Clock;
  readonly blobs: Blobs;
  readonly records: BlobRecords;
  readonly derivedRecords: DerivedRecords;
  readonly inspector: Inspector;
  readonly workspace: Workspace;
  /** Bounds how many packages lie on the local disk at once for being unpacked. */
  readonly gate: Gate;
}

/** For work that several callers wait for, whoever of them goes away. */
const derivingTimeoutMs = 120_000;

/** Finds the object that holds a blob in the packing that is wanted; makes it where it has to be derived. */
export class Objects {
  readonly #deps: Deps;
  readonly #deriving = new SingleFlight<DerivedRecord>();

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** @throws kind `not_found`, reason `BLOB_NOT_FOUND` */
  async original(digest: Digest): Promise<Original> {
    const record = await this.#deps.records.find(digest);
    if (record === undefined) return await this.#unrecorded(digest);
    if (record.state === "deleting" || record.state === "deleted") throw blobNotFound();
    const { size, generation, container, topFolder } = record;
    return {
      key: blobKey(digest, generation),
      size,
      sha256: digest,
      derived: false,
      ...(container === undefined ? {} : { container }),
      ...(topFolder === undefined ? {} : { topFolder }),
    };
  }

  /** A restored store may hold what its restored database does not tell of. */
  async #unrecorded(digest: Digest): Promise<Original> {
    const key = blobKey(digest, 0);
    const found = await this.#deps.blobs.stat(key);
    if (found === undefined) throw blobNotFound();
    return { key, size: found.size, sha256: digest, derived: false };
  }

  /** @throws kind `not_found`, reason `BLOB_NOT_FOUND` */
  async find(digest: Digest, wanted: WantedPacking, signal: AbortSignal): Promise<StoredObject> {
    const original = await this.original(digest);
    if (wanted.type === "original" || isAlready(original, wanted)) return original;
    const topFolder = wanted.type === "tar.gz" ? wanted.topFolder : "";
    const key = derivedKey(digest, wanted.type, topFolder);
    const { size, sha256 } =
      (await this.#deps.derivedRecords.find(key)) ??
      (await this.#deriving.run(key, signal, () => this.#derive(original, wanted.type, topFolder, key)));
    return { key, size, sha256, derived: true };
  }

  /**
   * Finds an object and does something with it. A derived one that turns out to have been dropped is made again, once.
   * @param act fails with reason `BLOB_NOT_FOUND` where the object is not there
   */
  async use<T>(
    digest: Digest,
    wanted: WantedPacking,
    signal: AbortSignal,
    act: (object: StoredObject) => Promise<T>,
  ): Promise<T> {
    const object = await this.find(digest, wanted, signal);
    try {
      return await act(object);
    } catch (error) {
      if (!object.derived || !isRegistryError(error) || error.reason !== "BLOB_NOT_FOUND") throw error;
      await this.#deps.derivedRecords.remove(object.key);
      return await act(await this.find(digest, wanted, signal));
    }
  }

  /** Gives the work a verified copy of the original on the local disk. */
  async withLocalCopy<T>(
    original: StoredObject,
    folder: string,
    signal: AbortSignal,
    work: (copy: { readonly path: string; readonly size: number; readonly folder: string }) => Promise<T>,
  ): Promise<T> {
    return await this.#deps.gate.run(signal, async () => {
      const path = join(folder, "package");
      await copyToDisk(this.#deps.blobs, original, path, signal);
      return await work({ path, size: original.size, folder });
    });
  }

  /** Waits for what is being derived. */
  async settle(): Promise<void> {
    await this.#deriving.settle();
  }

  async #derive(original: Original, packing: "tar.gz" | "zip", topFolder: string, key: string): Promise<DerivedRecord> {
    const { workspace, inspector, blobs, derivedRecords, clock } = this.#deps;
    const signal = AbortSignal.timeout(derivingTimeoutMs);
    return await workspace.use(async (folder) => {
      const target = join(folder, "derived");
      const made = await this.withLocalCopy(original, folder, signal, (copy) =>
        inspector.repack(copy, packing, topFolder, target, signal),
      );
      const put = await blobs.putFile(key, target, { size: made.size, signal });
      // What another process or an earlier version of the packer stored first is what readers get.
      const stored = put === "created" ? made : await measure(blobs, key, signal);
      const record = { key, source: original.sha256 as Digest, packing, topFolder, ...stored };
      await derivedRecords.insert(record, clock.now());
      return record;
    });
  }
}
