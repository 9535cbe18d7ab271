import { type KeyObject, sign, verify } from "node:crypto";
import type { AuditHead } from "@registry/contracts/audit";
import type { Keys } from "@registry/kit";

/** What the log ended with at some moment, signed. */
export interface Head {
  readonly sequence: number;
  /** Of the last row then. */
  readonly hash: string;
  readonly time: Date;
  /** Ed25519 over `signedText`, base64url. */
  readonly signature: string;
}

function signedText({ sequence, hash, time }: Omit<Head, "signature">): Buffer {
  return Buffer.from(`agenticraft-registry audit head\n${sequence}\n${hash}\n${time.toISOString()}`);
}

export function signHead(keys: Pick<Keys, "audit">, end: { sequence: number; hash: string }, time: Date): Head {
  const head = { sequence: end.sequence, hash: end.hash, time };
  return { ...head, signature: sign(null, signedText(head), keys.audit.signing).toString("base64url") };
}

/** Whether one of the keys signed it. */
export function verifyHead(keys: readonly KeyObject[], head: Head): boolean {
  if (Number.isNaN(head.time.getTime())) return false;
  const signature = Buffer.from(head.signature, "base64url");
  return keys.some((key) => verify(null, signedText(head), key, signature));
}

/** @returns undefined for a message that is none */
export function headOf({ sequence, hash, time, signature }: AuditHead): Head | undefined {
  return time === undefined ? undefined : { sequence, hash, time, signature };
}

/**
 * Reads a line of a file of heads: what the registry writes beside its store, or what `audit head --json` prints.
 * @returns with the public key that came along, if any, as PEM
 * @throws Error that says what is wrong
 */
export function parseHeadLine(line: string): { readonly head: Head; readonly publicKey: string | undefined } {
  const value: unknown = JSON.parse(line);
  if (typeof value !== "object" || value === null) throw new Error("it is no JSON object");
  const { sequence, hash, time, signature, public_key: publicKey } = value as Record<string, unknown>;
  const at = typeof time === "string" ? new Date(time) : undefined;
  if (typeof sequence !== "number" || !Number.isSafeInteger(sequence) || sequence < 0) throw new Error("bad sequence");
  if (typeof hash !== "string" || !/^[0-9a-f]{64}$/.test(hash)) throw new Error("bad hash");
  if (at === undefined || Number.isNaN(at.getTime())) throw new Error("bad time");
  if (typeof signature !== "string" || !/^[\w-]{86}$/.test(signature)) throw new Error("bad signature");
  const head = { sequence, hash, time: at, signature };
  return { head, publicKey: typeof publicKey === "string" ? publicKey : undefined };
}
