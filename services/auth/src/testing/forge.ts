import { createHmac } from "node:crypto";

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

/** A compact JWS by hand, as another program that holds the key makes it. */
export function forge(claims: unknown, key: string | Uint8Array, header: Record<string, unknown> = {}): string {
  const signed = `${encode({ alg: "HS256", typ: "JWT", ...header })}.${encode(claims)}`;
  return `${signed}.${createHmac("sha256", key).update(signed).digest("base64url")}`;
}

/** The same with no signature or another one. */
export function forgeUnsigned(claims: unknown, header: unknown, signature = ""): string {
  return `${encode(header)}.${encode(claims)}.${signature}`;
}
