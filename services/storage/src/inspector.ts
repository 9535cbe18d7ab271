import type { ArchiveLimits } from "@registry/archive";
import { RegistryError } from "@registry/domain";
import type { PackageContent } from "./model/upload.ts";
import type { WorkerPool } from "./workers/pool.ts";
import type { TaskLimits } from "./workers/seat.ts";

/** A package on the local disk, in a folder of its own. */
export interface LocalPackage {
  readonly path: string;
  readonly size: number;
  readonly folder: string;
}

export interface InspectorOptions {
  readonly limits: ArchiveLimits;
  /** For one package. */
  readonly timeoutMs: number;
}

const unlimited = Number.MAX_SAFE_INTEGER;

/** What was let in once stays readable when the limits are lowered later. */
const storedLimits: ArchiveLimits = {
  packageBytes: unlimited,
  unpackedBytes: unlimited,
  entryBytes: unlimited,
  ratio: unlimited,
  ratioFloorBytes: unlimited,
  entries: unlimited,
  pathBytes: unlimited,
  pathDepth: unlimited,
  manifestBytes: unlimited,
  readmeBytes: unlimited,
  descriptionLength: unlimited,
};

/** Reads and repacks packages in worker threads, each within a time limit. */
export class Inspector {
  readonly #pool: WorkerPool;
  readonly #options: InspectorOptions;

  constructor(pool: WorkerPool, options: InspectorOptions) {
    this.#pool = pool;
    this.#options = options;
  }

  /** @throws what `inspectArchive` refuses a package with; kind `rejected`, reason `INSPECTION_TIMEOUT` */
  async inspect(source: LocalPackage, signal: AbortSignal): Promise<PackageContent> {
    return await this.#pool.run(
      "inspect",
      this.#input(source, this.#options.limits),
      this.#taskLimits(signal, inspectionTimeout),
    );
  }

  /** @param topFolder everything comes to lie below it in a tar.gz; empty for a zip */
  async repack(
    source: LocalPackage,
    packing: "tar.gz" | "zip",
    topFolder: string,
    target: string,
    signal: AbortSignal,
  ): Promise<{ readonly size: number; readonly sha256: string }> {
    const input = { ...this.#input(source, storedLimits), packing, topFolder, target };
    return await this.#pool.run("repack", input, this.#taskLimits(signal, packingTimeout));
  }

  /** Writes one file of the package to `target`. @returns its size, or null where the package has no such file */
  async extract(
    source: LocalPackage,
    file: string,
    target: string,
    signal: AbortSignal,
  ): Promise<{ readonly size: number } | null> {
    const input = { ...this.#input(source, storedLimits), file, target };
    return await this.#pool.run("extract", input, this.#taskLimits(signal, packingTimeout));
  }

  /** Writes all files of the package below the empty folder `target`. @returns their paths */
  async unpack(source: LocalPackage, target: string, signal: AbortSignal): Promise<readonly string[]> {
    const input = { ...this.#input(source, storedLimits), target };
    return await this.#pool.run("unpack", input, this.#taskLimits(signal, packingTimeout));
  }

  #input({ path, size, folder }: LocalPackage, limits: ArchiveLimits) {
    return { path, size, limits, spoolDirectory: folder };
  }

  #taskLimits(signal: AbortSignal, timeoutError: (seconds: number) => RegistryError): TaskLimits {
    const { timeoutMs } = this.#options;
    return { timeoutMs, timeoutError: () => timeoutError(timeoutMs / 1000), signal };
  }
}

const inspectionTimeout = (seconds: number): RegistryError =>
  new RegistryError(
    "rejected",
    "INSPECTION_TIMEOUT",
    `Reading the package took longer than ${seconds} seconds; pack fewer or smaller files`,
  );

const packingTimeout = (): RegistryError =>
  new RegistryError("deadline_exceeded", "PACKING_TIMEOUT", "Unpacking the stored package took too long; try again");
