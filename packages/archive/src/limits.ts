/** Caps on what one package may hold. All are inclusive: a value equal to the limit passes. */
export interface ArchiveLimits {
  /** Bytes of the package itself, as uploaded. */
  readonly packageBytes: number;
  /** Bytes of all files together, once unpacked. */
  readonly unpackedBytes: number;
  /** Bytes of one file, once unpacked. */
  readonly entryBytes: number;
  /** Unpacked bytes for each packed byte, of one entry and of the whole; not applied below `ratioFloorBytes`. */
  readonly ratio: number;
  /** Unpacked bytes up to which the ratio does not matter: a short run of zeros is no bomb. */
  readonly ratioFloorBytes: number;
  /** Files and directories together. */
  readonly entries: number;
  /** UTF-8 bytes of one path inside the package. */
  readonly pathBytes: number;
  /** Parts of one path, the file name included. */
  readonly pathDepth: number;
  /** Bytes of a manifest (plugin.yaml, plugin.json, package.json and the like). */
  readonly manifestBytes: number;
  /** Bytes of a README or a changelog. */
  readonly readmeBytes: number;
  /** Characters of a description. */
  readonly descriptionLength: number;
}

const MiB = 1024 * 1024;

/** The documented defaults. */
export const defaultArchiveLimits: ArchiveLimits = {
  packageBytes: 50 * MiB,
  unpackedBytes: 100 * MiB,
  entryBytes: 50 * MiB,
  ratio: 100,
  ratioFloorBytes: MiB,
  entries: 2000,
  pathBytes: 255,
  pathDepth: 16,
  manifestBytes: 64 * 1024,
  readmeBytes: 512 * 1024,
  descriptionLength: 1000,
};
