import { genesisHash, hashOf, type Told } from "@registry/audit";
import type { AuditEntry } from "@registry/contracts/audit";

/** A row of the log as it is kept; its `_id` is its sequence. */
export interface AuditRow extends Omit<AuditEntry, "sequence" | "time"> {
  readonly _id: number;
  readonly time: Date;
}

/** What the next row follows. */
export interface LogEnd {
  readonly sequence: number;
  readonly hash: string;
}

export const emptyLog: LogEnd = { sequence: 0, hash: genesisHash };

/** The row that tells of an entry, chained to the end of the log. */
export function rowAfter(end: LogEnd, told: Told): AuditRow {
  const entry: AuditEntry = { ...told, sequence: end.sequence + 1, previousHash: end.hash, hash: "" };
  const { sequence, time, ...rest } = { ...entry, time: told.time, hash: hashOf(entry) };
  return { _id: sequence, time, ...rest };
}

/** What does not have the kind that it was written with was changed, and must not look as if it had. */
function text(value: unknown): string {
  return typeof value === "string" ? value : `(no text: ${JSON.stringify(value)})`;
}

/** As the contract has it. Rows that somebody changed in the store are shown, too, so nothing is taken for granted. */
export function toEntry(row: AuditRow): AuditEntry {
  const { time, actorId } = row;
  return {
    sequence: row._id,
    id: text(row.id),
    time: time instanceof Date ? time : undefined,
    actorType: text(row.actorType),
    actor: text(row.actor),
    actorId: Number.isSafeInteger(actorId) ? actorId : -1,
    tokenId: text(row.tokenId),
    address: text(row.address),
    via: text(row.via),
    action: text(row.action),
    target: text(row.target),
    organisation: text(row.organisation),
    beforeJson: text(row.beforeJson),
    afterJson: text(row.afterJson),
    result: text(row.result),
    reason: text(row.reason),
    requestId: text(row.requestId),
    previousHash: text(row.previousHash),
    hash: text(row.hash),
  };
}
