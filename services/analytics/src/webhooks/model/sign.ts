import { createHmac } from "node:crypto";

export interface Signed {
  readonly id: string;
  /** Seconds since 1970. */
  readonly timestamp: number;
  readonly body: string;
}

/** The header `webhook-signature`: one for each secret, of which the receiver needs to know one. */
export function signaturesOf(secrets: readonly Uint8Array[], { id, timestamp, body }: Signed): string {
  const signature = (secret: Uint8Array): string =>
    createHmac("sha256", secret).update(`${id}.${timestamp}.${body}`).digest("base64");
  return secrets.map((secret) => `v1,${signature(secret)}`).join(" ");
}
