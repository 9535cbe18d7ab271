import { createHash } from "node:crypto";

const secondMs = 1000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;

/** Between one attempt and the next: a day and four hours in all. */
const delaysMs = [5 * secondMs, 5 * minuteMs, 30 * minuteMs, 2 * hourMs, 5 * hourMs, 10 * hourMs, 10 * hourMs] as const;

/** A date as HTTP writes it; a parser of dates takes much else. */
const httpDate = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;
/** Longest that a receiver may ask for. */
const longestRestMs = hourMs;

/**
 * Time until the next attempt, give or take a tenth, so that what failed together is not tried together.
 * @param failures so far, at least 1
 * @param id of the delivery
 * @returns undefined where it is not worth another
 */
export function delayAfter(failures: number, id: string): number | undefined {
  const delay = delaysMs[failures - 1];
  if (delay === undefined) return undefined;
  const chance = createHash("sha256").update(`${id} ${failures}`).digest().readUInt32BE() / 2 ** 32;
  return Math.round(delay * (0.9 + 0.2 * chance));
}

/** How long the receiver asks to be left alone, by its header `retry-after`, milliseconds. */
export function restAsked(status: number, retryAfter: string | undefined, now: Date): number | undefined {
  if ((status !== 429 && status !== 503) || retryAfter === undefined) return undefined;
  const text = retryAfter.trim();
  const askedMs = /^\d+$/.test(text)
    ? Number(text) * secondMs
    : httpDate.test(text)
      ? Date.parse(text) - now.getTime()
      : 0;
  return askedMs > 0 ? Math.min(askedMs, longestRestMs) : undefined;
}
