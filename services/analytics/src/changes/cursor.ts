import { RegistryError } from "@registry/domain";
import type { Keys } from "@registry/kit";

const purpose = "change-cursor";
const numberBytes = 8;
/** Of its one spelling. */
const form = /^[\w-]{48}$/;

/**
 * Places in the feed as callers hold them. Sealed, and the same one never looks the same twice: neither numbers nor
 * comparing two of them tells how much happens that a caller may not see.
 */
export function cursorOf(keys: Keys, number: number): string {
  const bytes = Buffer.alloc(numberBytes);
  bytes.writeBigUInt64BE(BigInt(number));
  return keys.seal(purpose, bytes);
}

/** @throws kind `gone`, reason `CURSOR_EXPIRED` */
export function numberIn(keys: Keys, cursor: string): number {
  const bytes = form.test(cursor) ? keys.open(purpose, cursor) : undefined;
  if (bytes === undefined || bytes.length !== numberBytes) throw cursorExpired();
  return Number(Buffer.from(bytes).readBigUInt64BE());
}

export const cursorExpired = (): RegistryError =>
  new RegistryError(
    "gone",
    "CURSOR_EXPIRED",
    "The changes after this cursor are not kept any more, or it is none of this registry; read the plugins anew and go on with since=now, taken before",
  );
