import type { Value } from "../port.ts";
import { documentTooLarge, isPlainObject, maxDocumentBytes, type PlainObject } from "./values.ts";

/** No document holds a key that starts with `$`, so this one is free to mark dates. */
const dateKey = "$date";
const dateMark = `{"${dateKey}":`;

function toJson(value: Value): unknown {
  if (value instanceof Date) return { [dateKey]: value.getTime() };
  if (Array.isArray(value)) return value.map(toJson);
  if (!isPlainObject(value)) return value;
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    const field = value[key];
    if (field !== undefined) copy[key] = toJson(field);
  }
  return copy;
}

/** One text for one clean value: equal texts are equal values, as MongoDB compares them (order of keys counts). */
export function encode(value: Value): string {
  return JSON.stringify(toJson(value));
}

/** @throws RegistryError `DOCUMENT_TOO_LARGE` */
export function encodeDocument(document: PlainObject): string {
  const text = encode(document);
  if (text.length > maxDocumentBytes / 4 && Buffer.byteLength(text) > maxDocumentBytes) throw documentTooLarge();
  return text;
}

function revive(value: unknown): Value {
  if (typeof value !== "object" || value === null) return value as Value;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) value[i] = revive(value[i]);
    return value;
  }
  const object = value as Record<string, unknown>;
  const date = object[dateKey];
  if (typeof date === "number") return new Date(date);
  for (const key of Object.keys(object)) {
    const field = object[key];
    if (typeof field === "object" && field !== null) object[key] = revive(field);
  }
  return object as Value;
}

export function decode(text: string): PlainObject {
  const parsed: unknown = JSON.parse(text);
  return (text.includes(dateMark) ? revive(parsed) : parsed) as PlainObject;
}
