import { randomBytes, randomUUID } from "node:crypto";

/** The one source of time and chance; everything else is handed it. */
export interface Clock {
  now(): Date;
}

export const systemClock: Clock = { now: () => new Date() };

export interface Ids {
  /** A new unique id, 36 characters of `[0-9a-f-]`. */
  unique(): string;
  /** Unguessable bytes as unpadded base64url. */
  secret(bytes: number): string;
}

export const systemIds: Ids = {
  unique: () => randomUUID(),
  secret: (bytes) => randomBytes(bytes).toString("base64url"),
};
