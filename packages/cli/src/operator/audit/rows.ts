import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { parseExportLine } from "@registry/audit";
import { type AuditEntry, AuditServiceDefinition } from "@registry/contracts/audit";
import { invalid } from "@registry/domain";
import type { Clients } from "@registry/kit";

const exportMs = 60 * 60_000;

/** The rows of a running registry's log from that one on, in order. */
export async function* rowsOfRegistry(clients: Clients, from: number): AsyncGenerator<AuditEntry> {
  const options = { as: "service", timeoutMs: exportMs } as const;
  for await (const { entries } of clients.of(AuditServiceDefinition).exportAudit({ fromSequence: from }, options)) {
    yield* entries;
  }
}

/**
 * The rows of an export, in the file's order.
 * @throws kind `invalid_argument`, reason `NOT_AN_EXPORT`, with the line
 */
export async function* rowsOfFile(path: string): AsyncGenerator<AuditEntry> {
  let number = 0;
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })) {
    number += 1;
    if (line !== "") yield rowIn(line, `${path}, line ${number}`);
  }
}

function rowIn(line: string, where: string): AuditEntry {
  try {
    return parseExportLine(line);
  } catch (error) {
    throw invalid("NOT_AN_EXPORT", `${where} is no row of an audit log: ${(error as Error).message}`);
  }
}
