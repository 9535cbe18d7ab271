import { scrub } from "@registry/kit";

const secretKey = /password|secret|token|credential|authorization|cookie|hash/i;
/** `token_id` tells which one, and opens nothing. */
const idKey = /(?:_id|Id|ID)$/;
const shown = "[secret]";
const deepest = 8;
const mostItems = 100;
const longestText = 2000;
/** Bytes of JSON that a note may have. */
export const longestJson = 16 * 1024;

/** What callers hold goes, in whatever field it was put by mistake. */
function redactText(text: string): string {
  const plain = scrub(text.toWellFormed());
  return plain.length > longestText ? `${plain.slice(0, longestText).toWellFormed()}…` : plain;
}

/** @param hidden under a key that names a secret: no text of it is shown */
function redact(value: unknown, hidden: boolean, depth: number): unknown {
  if (typeof value === "string") return hidden ? shown : redactText(value);
  if (typeof value === "bigint") return redact(String(value), hidden, depth);
  if (typeof value === "number" || typeof value === "boolean" || value === null) return value;
  if (typeof value !== "object") return undefined;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (depth >= deepest) return "…";
  if (Array.isArray(value)) {
    const items = value.slice(0, mostItems).map((item) => redact(item, hidden, depth + 1) ?? null);
    return value.length > mostItems ? [...items, `… and ${value.length - mostItems} more`] : items;
  }
  const entries = Object.entries(value).slice(0, mostItems);
  return Object.fromEntries(
    entries.map(([key, inner]) => [
      redactText(key),
      redact(inner, !idKey.test(key) && secretKey.test(key) && !isRecord(inner), depth + 1),
    ]),
  );
}

function isRecord(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * What a note says, as JSON of at most 16 KiB without secrets: text under a key that names one, and what looks like a
 * credential anywhere, becomes `[secret]`.
 * @returns empty for nothing
 */
export function safeJson(value: unknown): string {
  if (value === undefined || value === null) return "";
  const json = JSON.stringify(redact(value, false, 0)) ?? "";
  const size = Buffer.byteLength(json);
  return size <= longestJson ? json : JSON.stringify({ too_large: size });
}
