import { invalid, quote } from "@registry/domain";

/** Names that a document or a path may not hold on any adapter. */
const forbidden = new Set(["__proto__"]);
const maxParts = 32;

/** Says in a message where something stands. Asked for only where it is to be refused: quoting costs more than checking. */
export type Where = () => string;

/** @throws RegistryError `INVALID_DOCUMENT_KEY` for names that a store or JavaScript would read as something else */
export function checkKey(key: string, where: Where): void {
  if (key !== "" && !key.startsWith("$") && !key.includes(".") && !key.includes("\0") && !forbidden.has(key)) return;
  throw invalid(
    "INVALID_DOCUMENT_KEY",
    `the key ${quote(key)} in ${where()} is not allowed: keys are not empty, do not start with "$", hold no dot and no NUL, and are not "__proto__"`,
  );
}

/**
 * The parts of a dotted path.
 * @throws RegistryError `INVALID_DOCUMENT_KEY`
 */
export function parsePath(path: string, where: string): readonly string[] {
  const parts = path.split(".");
  if (parts.length > maxParts) throw invalid("INVALID_DOCUMENT_KEY", `a path in ${where} has over ${maxParts} parts`);
  for (const part of parts) checkKey(part, () => where);
  return parts;
}

/** As `parsePath`, for sorts and indexes, which do not address array elements by position. */
export function parseKeyPath(path: string, where: string): readonly string[] {
  const parts = parsePath(path, where);
  if (parts.some((part) => arrayPosition(part) !== undefined)) {
    throw invalid(
      "INVALID_DOCUMENT_KEY",
      `the path ${quote(path)} in ${where} has a numeric part; name a field instead`,
    );
  }
  return parts;
}

/** The position that a path part addresses if it meets an array. */
export function arrayPosition(part: string): number | undefined {
  return /^(0|[1-9][0-9]{0,6})$/.test(part) ? Number(part) : undefined;
}

/** True if one path is the other or leads into it. */
export function overlap(a: string, b: string): boolean {
  const [short, long] = a.length <= b.length ? [a, b] : [b, a];
  return long.startsWith(short) && (long.length === short.length || long[short.length] === ".");
}
