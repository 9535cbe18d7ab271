import { randomBytes, randomUUID } from "node:crypto";

/** The one source of time and chance; everything else is handed it. */
export interface Clock {
  now(): Date;
}

export const systemClock: Clock = { now: () => new Date() };

/**
 * Whether something was less than so long ago. What is ahead was not: a clock that was set back would keep it fresh for as
 * long as it was set back.
 * @param at milliseconds since 1970, by the same clock
 */
export function isRecent(clock: Clock, at: number, ms: number): boolean {
  const age = clock.now().getTime() - at;
  return age >= 0 && age < ms;
}

export interface Ids {
  /** A new unique id, 36 characters of `[0-9a-f-]`; it tells when it was made. */
  unique(): string;
  /** Unguessable bytes as unpadded base64url. */
  secret(bytes: number): string;
}

/** UUID version 7 (RFC 9562): what is made one after another stands together in an index, which a store keeps cheaply. */
function orderedUuid(): string {
  const time = Date.now().toString(16).padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`;
}

export const systemIds: Ids = {
  unique: orderedUuid,
  secret: (bytes) => randomBytes(bytes).toString("base64url"),
};
