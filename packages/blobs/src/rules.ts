import { invalid, notFound, quote, RegistryError } from "@registry/domain";
import type { PresignOptions, PutOptions, ReadOptions } from "./port.ts";

const keyPattern = /^[a-z][a-z0-9/_.-]{0,255}$/;
const contentTypePattern = /^[ -~]{1,200}$/;
const partPattern = /^[a-z0-9_-][a-z0-9_.-]{0,199}$/;

export const isKey = (text: string): boolean =>
  keyPattern.test(text) && text.split("/").every((part) => partPattern.test(part));

/** @throws kind `invalid_argument`, reason `INVALID_BLOB_KEY` */
export function checkKey(key: string): void {
  if (!isKey(key)) {
    throw invalid(
      "INVALID_BLOB_KEY",
      `${quote(key)} is not a blob key; use a letter, then parts of a-z 0-9 _ . - between slashes`,
      "/key",
    );
  }
}

/** @throws kind `invalid_argument`, reason `INVALID_BLOB_PREFIX` */
export function checkPrefix(prefix: string): void {
  if (prefix === "") return;
  const parts = prefix.split("/");
  if (!keyPattern.test(prefix) || parts.pop() !== "" || !parts.every((part) => partPattern.test(part))) {
    throw invalid(
      "INVALID_BLOB_PREFIX",
      `${quote(prefix)} is not a prefix of blob keys; end it with a slash`,
      "/prefix",
    );
  }
}

/** @throws kind `invalid_argument`, reason `INVALID_SIZE` or `INVALID_CONTENT_TYPE`; kind `cancelled` where the signal was aborted before */
export function checkPut(key: string, options: PutOptions): void {
  checkKey(key);
  if (!Number.isSafeInteger(options.size) || options.size < 0) {
    throw invalid("INVALID_SIZE", "size must be the number of bytes that will come, 0 or more", "/size");
  }
  if (options.contentType !== undefined && !contentTypePattern.test(options.contentType)) {
    throw invalid("INVALID_CONTENT_TYPE", "contentType must be 1 to 200 printable ASCII characters", "/contentType");
  }
  if (options.signal?.aborted) throw cancelled(options.signal.reason);
}

/** @throws kind `invalid_argument`, reason `INVALID_RANGE`; kind `cancelled` where the signal was aborted before */
export function checkRead(key: string, options: ReadOptions): void {
  checkKey(key);
  const { start = 0, end = start } = options;
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start < 0 || end < start) {
    throw invalid("INVALID_RANGE", "start and end must be whole numbers with 0 <= start <= end", "/start");
  }
  if (options.signal?.aborted) throw cancelled(options.signal.reason);
}

/** @throws kind `invalid_argument`, reason `INVALID_PRESIGN` */
export function checkPresign(key: string, options: PresignOptions): void {
  checkKey(key);
  const { expiresSeconds, filename } = options;
  if (!Number.isSafeInteger(expiresSeconds) || expiresSeconds < 1 || expiresSeconds > 604_800) {
    throw invalid("INVALID_PRESIGN", "expiresSeconds must be a whole number from 1 to 604800", "/expiresSeconds");
  }
  if (filename !== undefined && !/^[ !#-[\]-~]{1,200}$/.test(filename)) {
    throw invalid(
      "INVALID_PRESIGN",
      "filename must be 1 to 200 printable ASCII characters without quotes",
      "/filename",
    );
  }
  if (options.contentType !== undefined && !contentTypePattern.test(options.contentType)) {
    throw invalid("INVALID_PRESIGN", "contentType must be 1 to 200 printable ASCII characters", "/contentType");
  }
}

/**
 * The bytes to read of an object of `size` bytes.
 * @throws kind `out_of_range`, reason `RANGE_NOT_SATISFIABLE`
 */
export function resolveRange(size: number, options: ReadOptions): { start: number; length: number } {
  const { start = 0, end = size - 1 } = options;
  if (start >= size && !(start === 0 && size === 0)) throw rangeNotSatisfiable();
  return { start, length: Math.min(end, size - 1) - start + 1 };
}

export const blobNotFound = (): RegistryError => notFound("BLOB_NOT_FOUND", "Blob not found");

export const rangeNotSatisfiable = (): RegistryError =>
  new RegistryError("out_of_range", "RANGE_NOT_SATISFIABLE", "The range begins after the end of the content");

export const sizeMismatch = (announced: number, came: number): RegistryError =>
  invalid(
    "SIZE_MISMATCH",
    came > announced
      ? `More bytes came than the ${announced} that were announced; send exactly as many as announced`
      : `${came} bytes came where ${announced} were announced; send exactly as many as announced`,
    "/size",
  );

export const cancelled = (cause?: unknown): RegistryError =>
  new RegistryError("cancelled", "CANCELLED", "The transfer was cancelled", { cause });
