import type { Digest } from "@registry/domain";

/** A file of a package. */
export interface PackageFile {
  readonly path: string;
  readonly size: number;
  readonly sha256: string;
}

export interface PackageFinding {
  readonly rule: string;
  readonly severity: string;
  readonly message: string;
  readonly file: string | null;
  readonly line: number | null;
  /** JSON pointer into the manifest. */
  readonly pointer: string | null;
}

/** What the inspection read out of a package, in the form in which it is kept and sent. */
export interface PackageContent {
  readonly container: string;
  /** The one folder that everything lies below; empty where files are at the root. */
  readonly topFolder: string;
  readonly format: string;
  readonly kind: string;
  /** Empty where the format carries none. */
  readonly name: string;
  /** Empty where the format carries none. */
  readonly version: string;
  readonly recordJson: string;
  readonly manifestJson: string;
  readonly readme: string | null;
  readonly changelog: string | null;
  readonly files: readonly PackageFile[];
  readonly findings: readonly PackageFinding[];
}

/** A package that was received and read. */
export interface UploadedPackage {
  readonly id: string;
  readonly sha256: Digest;
  readonly size: number;
  readonly content: PackageContent;
  /** User id. */
  readonly uploadedBy: number;
  readonly createdAt: Date;
  readonly expiresAt: Date;
}
