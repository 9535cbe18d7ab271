import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createPrivateKey,
  createPublicKey,
  hkdfSync,
  type KeyObject,
  timingSafeEqual,
} from "node:crypto";
import { systemIds } from "../clock.ts";

/** What every process of one registry derives from `SECRET_KEY`, so that none has to be up for another to verify. */
export interface Keys {
  /** Ed25519, for internal tokens. */
  readonly signing: KeyObject;
  readonly verifying: KeyObject;
  /** Ed25519, for the ends of the audit log, and for nothing else. */
  readonly audit: { readonly signing: KeyObject; readonly verifying: KeyObject };
  /** HS256 key of the tokens that callers hold: the secret itself, so that a party that shares it can verify them. */
  readonly callerTokens: Uint8Array;
  /** HMAC-SHA256 over text, as base64url, under a key for that purpose alone. */
  mac(purpose: string, text: string): string;
  verifyMac(purpose: string, text: string, mac: string): boolean;
  /**
   * Encrypts what a store keeps: AES-256-GCM under a key for that purpose alone, as base64url.
   * @param owner what it belongs to, e.g. a document's id; it opens for that one alone
   */
  seal(purpose: string, bytes: Uint8Array, owner?: string): string;
  /** @returns undefined where it was not sealed like this, or was changed since */
  open(purpose: string, sealed: string, owner?: string): Uint8Array | undefined;
}

/** PKCS #8 header of an Ed25519 private key; the 32-byte seed follows. */
const pkcs8Ed25519 = Buffer.from("302e020100300506032b657004220420", "hex");

/** @param seed 32 random bytes, which are the private key */
export function ed25519FromSeed(seed: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([pkcs8Ed25519, seed]), format: "der", type: "pkcs8" });
}

function keyPair(seed: Uint8Array): Keys["audit"] {
  const signing = ed25519FromSeed(seed);
  return { signing, verifying: createPublicKey(signing) };
}

const nonceBytes = 12;
const tagBytes = 16;

function seal(key: Uint8Array, bytes: Uint8Array, owner: string): string {
  const nonce = Buffer.from(systemIds.secret(nonceBytes), "base64url");
  const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(Buffer.from(owner));
  const hidden = Buffer.concat([cipher.update(bytes), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), hidden]).toString("base64url");
}

function open(key: Uint8Array, sealed: string, owner: string): Uint8Array | undefined {
  const bytes = Buffer.from(sealed, "base64url");
  if (bytes.length < nonceBytes + tagBytes) return undefined;
  const nonce = bytes.subarray(0, nonceBytes);
  const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: tagBytes })
    .setAAD(Buffer.from(owner))
    .setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(nonceBytes + tagBytes)), decipher.final()]);
  } catch {
    return undefined;
  }
}

export function deriveKeys(secretKey: string): Keys {
  const derive = (purpose: string): Buffer =>
    Buffer.from(hkdfSync("sha256", secretKey, "agenticraft-registry", purpose, 32));
  const signing = ed25519FromSeed(derive("internal-token"));
  const derived = new Map<string, Buffer>();
  const keyFor = (purpose: string): Buffer => {
    const key = derived.get(purpose) ?? derive(purpose);
    derived.set(purpose, key);
    return key;
  };
  const mac = (purpose: string, text: string): string =>
    createHmac("sha256", keyFor(`mac:${purpose}`))
      .update(text)
      .digest("base64url");
  return {
    signing,
    verifying: createPublicKey(signing),
    audit: keyPair(derive("audit-head")),
    callerTokens: new TextEncoder().encode(secretKey),
    mac,
    verifyMac(purpose, text, given) {
      const expected = Buffer.from(mac(purpose, text));
      const actual = Buffer.from(given);
      return expected.length === actual.length && timingSafeEqual(expected, actual);
    },
    seal: (purpose, bytes, owner = "") => seal(keyFor(`seal:${purpose}`), bytes, owner),
    open: (purpose, sealed, owner = "") => open(keyFor(`seal:${purpose}`), sealed, owner),
  };
}
