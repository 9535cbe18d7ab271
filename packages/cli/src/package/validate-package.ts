import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { invalid, isRegistryError, type RegistryError } from "@registry/domain";
import { listFolder } from "./folder.ts";
import { packFiles } from "./packing.ts";
import { Progress } from "./progress.ts";
import type { PackageRules } from "./settings.ts";
import { withTemporaryFolder } from "./temporary.ts";
import { printable } from "./text.ts";
import { type JudgeOptions, judgeFile, refusedBy, type Verdict } from "./verdict.ts";

export interface ValidateOptions extends PackageRules {
  /** The name beside the package in the publish form, for packages that carry none. */
  readonly name?: string | undefined;
  readonly version?: string | undefined;
  readonly progress?: Progress;
}

/**
 * What a registry with these rules would make of a package, offline. Leaves nothing behind.
 * @param path a zip or tar.gz, or a folder, which is packed as `pack` does
 * @throws `invalid_argument` PATH_NOT_FOUND, PATH_UNUSABLE, UNREADABLE; `conflict` FILE_CHANGED
 */
export async function validatePackage(path: string, options: ValidateOptions): Promise<Verdict> {
  const { limits, policy, runsTests, name = "", version = "" } = options;
  const judging: JudgeOptions = { limits, policy, runsTests, requested: { name, version } };
  const progress = options.progress ?? new Progress({ write: () => undefined });
  const what = await kindOf(path);
  if (what === "file") {
    progress.tell("checking");
    return await judgeFile(path, judging).catch((error: NodeJS.ErrnoException) => {
      throw isRegistryError(error) || error.syscall === undefined ? error : unusable(path, error.code);
    });
  }
  try {
    const { files } = await listFolder(path, limits);
    const options = { ...judging, container: "zip", output: undefined, outputFolder: resolve("."), progress } as const;
    const { verdict } = await withTemporaryFolder((folder) =>
      packFiles(resolve(path), files, join(folder, "package.zip"), options),
    );
    return verdict;
  } catch (error) {
    if (isRefusal(error)) return refusedBy(error);
    throw error;
  }
}

/** True for what a registry would say of a package, unlike a failure to read it. */
export function isRefusal(error: unknown): error is RegistryError {
  return isRegistryError(error) && (error.kind === "rejected" || error.kind === "too_large");
}

/** @throws `invalid_argument` PATH_NOT_FOUND, PATH_UNUSABLE */
export async function kindOf(path: string): Promise<"file" | "folder"> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT" && error.code !== "ENOTDIR") throw unusable(path, error.code);
    throw invalid("PATH_NOT_FOUND", `${printable(path)}: there is nothing at this path`);
  });
  if (found.isFile()) return "file";
  if (found.isDirectory()) return "folder";
  throw invalid("PATH_UNUSABLE", `${printable(path)}: is neither a file nor a folder`);
}

function unusable(path: string, code = "unknown"): RegistryError {
  return invalid("PATH_UNUSABLE", `${printable(path)}: cannot be read (${code})`);
}
