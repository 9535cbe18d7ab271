import { createHash } from "node:crypto";
import type { AuditEntry } from "@registry/contracts/audit";

/** What the first row follows. */
export const genesisHash = "0".repeat(64);

/** A row's fields by the names that they are hashed under, without `hash`, in order of their names. */
function fieldsOf(row: AuditEntry) {
  return {
    action: row.action,
    actor: row.actor,
    actor_id: row.actorId,
    actor_type: row.actorType,
    address: row.address,
    after_json: row.afterJson,
    before_json: row.beforeJson,
    id: row.id,
    organisation: row.organisation,
    previous_hash: row.previousHash,
    reason: row.reason,
    request_id: row.requestId,
    result: row.result,
    sequence: row.sequence,
    target: row.target,
    time: timeText(row.time),
    token_id: row.tokenId,
    via: row.via,
  };
}

/** RFC 3339 in UTC with milliseconds; empty for none. */
function timeText(time: Date | undefined): string {
  return time === undefined || Number.isNaN(time.getTime()) ? "" : time.toISOString();
}

/**
 * The text that a row's hash is of: a JSON object without white space, keys sorted, with `previous_hash` and without
 * `hash`. An auditor's own program has to come to the same bytes, so nothing in it depends on this one.
 */
export function canonicalRow(row: AuditEntry): string {
  return JSON.stringify(fieldsOf(row));
}

/** SHA-256 of the canonical text in UTF-8, lower-case hex. */
export function hashOf(row: AuditEntry): string {
  return createHash("sha256").update(canonicalRow(row)).digest("hex");
}

/** One line of an export: the canonical object with `hash` in its place among the keys. */
export function exportLine(row: AuditEntry): string {
  const fields = Object.entries({ ...fieldsOf(row), hash: row.hash });
  return JSON.stringify(Object.fromEntries(fields.sort(([a], [b]) => (a < b ? -1 : 1))));
}

const keys: ReadonlySet<string> = new Set([...Object.keys(fieldsOf({} as AuditEntry)), "hash"]);
const numbers: ReadonlySet<string> = new Set(["sequence", "actor_id"]);

/** @throws Error that says what is wrong with the line */
export function parseExportLine(line: string): AuditEntry {
  const value: unknown = JSON.parse(line);
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error("it is no JSON object");
  const fields = value as Record<string, unknown>;
  const strange = Object.keys(fields).find((key) => !keys.has(key));
  if (strange !== undefined) throw new Error(`rows have no field ${JSON.stringify(strange.slice(0, 64))}`);
  for (const key of keys) {
    const expected = numbers.has(key) ? Number.isSafeInteger(fields[key]) : typeof fields[key] === "string";
    if (!expected) throw new Error(`its field ${key} is missing or of the wrong kind`);
  }
  const text = (key: string): string => String(fields[key]);
  const row: AuditEntry = {
    sequence: Number(fields.sequence),
    id: text("id"),
    time: text("time") === "" ? undefined : new Date(text("time")),
    actorType: text("actor_type"),
    actor: text("actor"),
    actorId: Number(fields.actor_id),
    tokenId: text("token_id"),
    address: text("address"),
    via: text("via"),
    action: text("action"),
    target: text("target"),
    organisation: text("organisation"),
    beforeJson: text("before_json"),
    afterJson: text("after_json"),
    result: text("result"),
    reason: text("reason"),
    requestId: text("request_id"),
    previousHash: text("previous_hash"),
    hash: text("hash"),
  };
  // Another spelling of the same moment would be hashed as this one.
  if (timeText(row.time) !== text("time")) throw new Error("its field time is not in UTC with milliseconds");
  return row;
}
