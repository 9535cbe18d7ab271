import { createHash, generateKeyPairSync } from "node:crypto";
import { crc32 } from "node:zlib";

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** Characters that look random and are the same at every run; no secret stands in this repository. */
export function randomLooking(length: number, alphabet = base62, seed = "archive"): string {
  let text = "";
  for (let block = 0; text.length < length; block++) {
    for (const byte of createHash("sha256").update(`${seed}${block}`).digest()) {
      text += alphabet.charAt(byte % alphabet.length);
    }
  }
  return text.slice(0, length);
}

function checksum(text: string): string {
  let rest = crc32(text);
  let digits = "";
  for (let i = 0; i < 6; i++) {
    digits = base62.charAt(rest % 62) + digits;
    rest = Math.floor(rest / 62);
  }
  return digits;
}

/** A token whose checksum is over its random part, as code hosts make them. */
export function checkedToken(prefix: string): string {
  const random = randomLooking(30, base62, prefix);
  return prefix + random + checksum(random);
}

/** A token of this registry: 256 bits, and a checksum over all before it. */
export function registryToken(prefix = "acr_"): string {
  const start = `${prefix}${randomLooking(43, `${base62}-_`)}`;
  return start + checksum(start);
}

export function webToken(claims: object, header: object = { alg: "HS256", typ: "JWT" }): string {
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${encode(header)}.${encode(claims)}.${randomLooking(43)}`;
}

const pair = generateKeyPairSync("ed25519");
export const privatePem = pair.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
export const publicPem = pair.publicKey.export({ type: "spki", format: "pem" }).toString();
