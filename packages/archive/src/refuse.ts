import { type FieldError, quote, RegistryError } from "@registry/domain";

/** The package is read, but a rule about its structure or content refuses it (HTTP 422). */
export function refused(reason: string, message: string, path?: string): RegistryError {
  return new RegistryError("rejected", reason, message, { fields: at(path, message) });
}

/** A size, count or depth is over its cap (HTTP 413). */
export function overCap(reason: string, message: string, path?: string): RegistryError {
  return new RegistryError("too_large", reason, message, { fields: at(path, message) });
}

/** The bytes end too early, or do not decode to what their headers promise. */
export function corrupt(message: string, path?: string): RegistryError {
  return refused(
    "CORRUPT_ARCHIVE",
    `${message}; the file is damaged or was cut short, so pack and upload it again`,
    path,
  );
}

/** `pointer` for something inside the archive: raw bytes of a name never leave unescaped. */
export function archivePointer(path: string): string {
  return `archive:${quote(path).slice(1, -1)}`;
}

function at(path: string | undefined, message: string): readonly FieldError[] {
  return path === undefined ? [] : [{ pointer: archivePointer(path), reason: message }];
}
