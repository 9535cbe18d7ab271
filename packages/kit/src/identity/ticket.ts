import type { Keys } from "./keys.ts";

/** Longest life of a ticket, seconds. */
export const ticketSeconds = 60;

/**
 * A short-lived signed permission to read one thing, for whoever holds it: given out after the rights were checked, and
 * verified without asking again.
 * @param purpose keeps tickets for different uses apart, e.g. `blob`, `download`
 * @param subject what may be read, e.g. a digest
 */
export function issueTicket(keys: Keys, purpose: string, subject: string, now: Date, seconds = ticketSeconds): string {
  const expires = Math.floor(now.getTime() / 1000) + Math.min(seconds, ticketSeconds);
  return `${expires}.${keys.mac(`ticket:${purpose}`, `${expires}:${subject}`)}`;
}

export function ticketHolds(keys: Keys, purpose: string, subject: string, ticket: string, now: Date): boolean {
  const match = /^(\d{1,12})\.([\w-]{43})$/.exec(ticket);
  const [, expires, mac] = match ?? [];
  if (expires === undefined || mac === undefined || Number(expires) * 1000 <= now.getTime()) return false;
  return keys.verifyMac(`ticket:${purpose}`, `${expires}:${subject}`, mac);
}
