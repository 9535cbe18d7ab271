import { createHmac, createPrivateKey, createPublicKey, hkdfSync, type KeyObject, timingSafeEqual } from "node:crypto";

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
}

/** PKCS #8 header of an Ed25519 private key; the 32-byte seed follows. */
const pkcs8Ed25519 = Buffer.from("302e020100300506032b657004220420", "hex");

export function deriveKeys(secretKey: string): Keys {
  const derive = (purpose: string): Buffer =>
    Buffer.from(hkdfSync("sha256", secretKey, "agenticraft-registry", purpose, 32));
  const signingKey = (purpose: string): KeyObject =>
    createPrivateKey({ key: Buffer.concat([pkcs8Ed25519, derive(purpose)]), format: "der", type: "pkcs8" });
  const signing = signingKey("internal-token");
  const auditSigning = signingKey("audit-head");
  const macKeys = new Map<string, Buffer>();
  const mac = (purpose: string, text: string): string => {
    const key = macKeys.get(purpose) ?? derive(`mac:${purpose}`);
    macKeys.set(purpose, key);
    return createHmac("sha256", key).update(text).digest("base64url");
  };
  return {
    signing,
    verifying: createPublicKey(signing),
    audit: { signing: auditSigning, verifying: createPublicKey(auditSigning) },
    callerTokens: new TextEncoder().encode(secretKey),
    mac,
    verifyMac(purpose, text, given) {
      const expected = Buffer.from(mac(purpose, text));
      const actual = Buffer.from(given);
      return expected.length === actual.length && timingSafeEqual(expected, actual);
    },
  };
}
