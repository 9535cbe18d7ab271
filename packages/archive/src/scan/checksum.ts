import { crc32 } from "node:zlib";

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const LENGTH = 6;

/** Whether the last six characters are the CRC-32 of what is before them in base 62, as typed tokens end. */
export function endsInChecksum(text: string): boolean {
  let rest = crc32(text.slice(0, -LENGTH));
  let digits = "";
  for (let i = 0; i < LENGTH; i++) {
    digits = base62.charAt(rest % 62) + digits;
    rest = Math.floor(rest / 62);
  }
  return text.endsWith(digits);
}
