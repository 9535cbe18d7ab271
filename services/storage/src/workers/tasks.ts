import type { ArchiveLimits } from "@registry/archive";
import { type ErrorKind, type FieldError, isRegistryError, RegistryError } from "@registry/domain";
import type { PackageContent } from "../model/upload.ts";

interface Source {
  /** The package on the local disk. */
  readonly path: string;
  readonly size: number;
  readonly limits: ArchiveLimits;
  /** For what has to be unpacked meanwhile; whoever gave the task removes it. */
  readonly spoolDirectory: string;
}

/** What a worker can be asked for, by the type of its task. All of it survives a structured clone. */
export interface Tasks {
  inspect: { readonly input: Source; readonly output: PackageContent };
  repack: {
    readonly input: Source & {
      readonly packing: "tar.gz" | "zip";
      /** Empty for a zip. */
      readonly topFolder: string;
      /** File to write. */
      readonly target: string;
    };
    readonly output: { readonly size: number; readonly sha256: string };
  };
  extract: {
    readonly input: Source & { readonly file: string; readonly target: string };
    /** Null where there is no such file. */
    readonly output: { readonly size: number } | null;
  };
  unpack: {
    /** `target` is an empty folder. */
    readonly input: Source & { readonly target: string };
    /** The paths of all files, sorted. */
    readonly output: readonly string[];
  };
}

export type TaskType = keyof Tasks;
export type TaskMessage = {
  readonly [T in TaskType]: { readonly type: T; readonly input: Tasks[T]["input"] };
}[TaskType];

export type TaskAnswer =
  | { readonly outcome: "done"; readonly output: Tasks[TaskType]["output"] }
  | {
      readonly outcome: "refused";
      readonly kind: ErrorKind;
      readonly reason: string;
      readonly message: string;
      readonly fields: readonly FieldError[];
    }
  | { readonly outcome: "failed"; readonly error: string };

/** Errors lose their class on the way between threads, so the ones that a caller may see go as data. */
export function toAnswer(error: unknown): TaskAnswer {
  if (isRegistryError(error)) {
    const { kind, reason, message, fields } = error;
    return { outcome: "refused", kind, reason, message, fields };
  }
  return { outcome: "failed", error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}

/** @throws what the worker failed with */
export function outputOf(answer: TaskAnswer): Tasks[TaskType]["output"] {
  switch (answer.outcome) {
    case "done":
      return answer.output;
    case "refused":
      throw new RegistryError(answer.kind, answer.reason, answer.message, { fields: answer.fields });
    case "failed":
      throw new Error(`a package worker failed: ${answer.error}`);
    default:
      return answer satisfies never;
  }
}
