import type { ErrorKind, FieldError } from "@registry/domain";
import type { Inspection } from "./inspection.ts";
import type { ArchiveLimits } from "./limits.ts";
import type { ArchiveFile, OpenOptions } from "./open.ts";

export interface Job {
  readonly file: ArchiveFile;
  readonly limits: ArchiveLimits;
  readonly options: OpenOptions;
}

/** A clone loses an error's class, so a RegistryError crosses as its parts. */
export interface Reply {
  readonly inspection?: Inspection;
  readonly refusal?: {
    readonly kind: ErrorKind;
    readonly reason: string;
    readonly message: string;
    readonly fields: readonly FieldError[];
  };
  readonly fault?: string;
}
