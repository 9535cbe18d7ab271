import type { Format, Severity } from "@registry/domain";
import type { Json, JsonObject } from "./text/value.ts";

export type { Json, JsonObject };

/** Something that a check noticed about a package. What becomes of it is for the operator's policy to say. */
export interface Finding {
  /** A stable kebab-case word. */
  readonly rule: string;
  readonly severity: Severity;
  readonly message: string;
  /** Path relative to the package root. */
  readonly file?: string;
  /** Counted from 1. */
  readonly line?: number;
  /** JSON pointer into the manifest. */
  readonly pointer?: string;
}

export interface Author {
  readonly name: string;
  readonly email?: string;
  readonly url?: string;
}

export interface Dependency {
  readonly name: string;
  /** As the manifest writes it: `*`, `1.2.3`, `^1.2.0`, … */
  readonly requirement: string;
  readonly optional: boolean;
}

/** What every format says of a package, in one shape. URLs are http(s) or absent. */
export interface PackageRecord {
  readonly title: string;
  readonly description: string;
  readonly longDescription?: string;
  readonly author?: Author;
  readonly license?: string;
  readonly homepage?: string;
  readonly repository?: string;
  readonly documentation?: string;
  readonly tags: readonly string[];
  readonly category?: string;
  readonly capabilities: readonly string[];
  readonly dependencies: readonly Dependency[];
}

export interface InspectedFile {
  /** Relative to the package root, `/` between its parts. */
  readonly path: string;
  readonly size: number;
  readonly sha256: string;
  /** Unix permission bits, where the archive carries them. */
  readonly mode?: number;
}

/** What a package holds. Plain data: it survives a structured clone and JSON. */
export interface Inspection {
  readonly container: "zip" | "tar.gz";
  /** Name of the one top folder that was taken off every path; empty where files are at the root. */
  readonly topFolder: string;
  readonly format: Format;
  readonly kind: string;
  /** Absent where the format carries none that fits the registry's rule; then the publisher must give it. */
  readonly name?: string;
  /** Absent where the format carries none; then the publisher must give it. */
  readonly version?: string;
  readonly record: PackageRecord;
  /** The manifest as JSON; for AgentiCraft complete with defaults and without what the registry itself sets. */
  readonly manifest: JsonObject;
  readonly readme?: string;
  readonly changelog?: string;
  /** Whether a license text is in the package. */
  readonly hasLicense: boolean;
  /** Sorted by path (UTF-16 code units). */
  readonly files: readonly InspectedFile[];
  readonly findings: readonly Finding[];
  readonly unpackedSize: number;
}

/** A manifest as it was understood, with escapes resolved. */
export interface DecodedManifest {
  readonly file: string;
  readonly json: JsonObject;
}

/** What a format reads out of a package; the rest of an inspection is the same for all. */
export interface FormatReading {
  readonly kind: string;
  readonly name?: string;
  readonly version?: string;
  readonly record: PackageRecord;
  readonly manifest: JsonObject;
  /** Every manifest that was decoded, as it is written, for the texts in it to be looked at. */
  readonly manifests: readonly DecodedManifest[];
  readonly findings: readonly Finding[];
}
