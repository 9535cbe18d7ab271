import { invalid } from "./errors.ts";

declare const digest: unique symbol;
/** A sha256 as 64 lower-case hexadecimal characters. */
export type Digest = string & { readonly [digest]: true };

export function isDigest(text: string): text is Digest {
  return /^[0-9a-f]{64}$/.test(text);
}

/** @throws kind `invalid_argument`, reason `INVALID_DIGEST` */
export function parseDigest(text: string, pointer = "/sha256"): Digest {
  if (isDigest(text)) return text;
  throw invalid("INVALID_DIGEST", "sha256: expected 64 lower-case hexadecimal characters", pointer);
}
