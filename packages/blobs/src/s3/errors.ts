import { isRegistryError, unavailable } from "@registry/domain";

/** The code of an answer (`NoSuchKey`), or undefined where the error is no answer of the store. */
export function s3Code(error: unknown): string | undefined {
  if (!(error instanceof Error) || error.name !== "S3Error" || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** Whatever a call has not foreseen is a store that is away, out of order or wrongly configured; the cause goes to the log. */
export const translate = (error: unknown): Error =>
  isRegistryError(error) ? error : unavailable("The blob store", error);

export async function translated<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw translate(error);
  }
}
