import { invalid, notFound, RegistryError } from "@registry/domain";

export const uploadNotFound = (): RegistryError =>
  notFound("UPLOAD_NOT_FOUND", "Upload not found; it was dropped or has expired, so upload the package again");

export const blobNotFound = (): RegistryError => notFound("BLOB_NOT_FOUND", "Blob not found");

export const fileNotFound = (): RegistryError => notFound("FILE_NOT_FOUND", "The package has no such file");

export const invalidTicket = (): RegistryError =>
  new RegistryError(
    "permission_denied",
    "INVALID_TICKET",
    "The ticket is missing, has expired or is for other bytes; resolve the download again",
  );

export const packageTooLarge = (limit: number): RegistryError =>
  new RegistryError("too_large", "PACKAGE_TOO_LARGE", `The package is larger than the ${limit} bytes that are allowed`);

export const sizeMismatch = (promised: number, came: string): RegistryError =>
  invalid("SIZE_MISMATCH", `size: ${promised} bytes were promised, but ${came} came; upload it again`, "/header/size");

export const digestMismatch = (): RegistryError =>
  invalid(
    "DIGEST_MISMATCH",
    "sha256: the bytes that came have another digest than promised; upload them again",
    "/header/sha256",
  );

export const rangeNotSatisfiable = (): RegistryError =>
  new RegistryError("out_of_range", "RANGE_NOT_SATISFIABLE", "The range begins after the end of the content");

export const tooManyUploads = (limit: number): RegistryError =>
  new RegistryError(
    "rate_limited",
    "TOO_MANY_UPLOADS",
    `A user has at most ${limit} uploads at once; publish or drop some, or try again in some seconds`,
    { retryAfterSeconds: 5 },
  );

export const storageBusy = (): RegistryError =>
  new RegistryError("unavailable", "STORAGE_BUSY", "Too many packages are being read; try again in a few seconds", {
    retryAfterSeconds: 5,
  });

export const pluginTestsOff = (): RegistryError =>
  new RegistryError("unimplemented", "PLUGIN_TESTS_OFF", "This registry does not run the tests of plugins");

export const pluginTestsBusy = (): RegistryError =>
  new RegistryError("unavailable", "PLUGIN_TESTS_BUSY", "Too many packages wait for their tests; try again later", {
    retryAfterSeconds: 30,
  });

export const brokenOff = (cause: unknown): RegistryError =>
  new RegistryError("cancelled", "UPLOAD_BROKEN_OFF", "The sender broke the upload off", { cause });
