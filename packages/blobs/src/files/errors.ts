import { isRegistryError, RegistryError, unavailable } from "@registry/domain";

/** The code of a failed system call (`ENOENT`), or undefined where the error is none. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("syscall" in error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** A full, read-only or broken disk is a store that is away; what is no system call's error is passed on. */
export function translate(error: unknown): unknown {
  if (isRegistryError(error)) return error;
  const code = systemCode(error);
  if (code === undefined) return error;
  if (code === "ENOTDIR" || code === "EISDIR") {
    return new RegistryError("conflict", "BLOB_KEY_CONFLICT", "The blob's key is another blob's folder", {
      cause: error,
    });
  }
  return unavailable("The blob directory", error);
}

export async function translated<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw translate(error);
  }
}
