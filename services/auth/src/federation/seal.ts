import { createCipheriv, createDecipheriv } from "node:crypto";
import type { Ids, Keys } from "@registry/kit";

const cipher = "aes-256-gcm";
const nonceBytes = 12;
const tagBytes = 16;

function keyFor(keys: Keys, purpose: string): Buffer {
  return Buffer.from(keys.mac("seal", purpose), "base64url");
}

/**
 * Text that whoever keeps it can neither read nor change, as base64url.
 * @param purpose keeps what is sealed for one use from being opened for another
 */
export function seal(keys: Keys, ids: Ids, purpose: string, text: string): string {
  const nonce = Buffer.from(ids.secret(nonceBytes), "base64url");
  const sealing = createCipheriv(cipher, keyFor(keys, purpose), nonce);
  const sealed = Buffer.concat([sealing.update(text, "utf8"), sealing.final()]);
  return Buffer.concat([nonce, sealed, sealing.getAuthTag()]).toString("base64url");
}

/** @returns undefined where it was sealed elsewhere, for another purpose, or was changed */
export function open(keys: Keys, purpose: string, sealed: string): string | undefined {
  const bytes = Buffer.from(sealed, "base64url");
  if (bytes.length < nonceBytes + tagBytes) return undefined;
  const opening = createDecipheriv(cipher, keyFor(keys, purpose), bytes.subarray(0, nonceBytes), {
    authTagLength: tagBytes,
  });
  opening.setAuthTag(bytes.subarray(-tagBytes));
  try {
    const text = opening.update(bytes.subarray(nonceBytes, -tagBytes));
    return Buffer.concat([text, opening.final()]).toString("utf8");
  } catch {
    return undefined;
  }
}
