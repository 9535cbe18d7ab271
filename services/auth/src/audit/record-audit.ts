import { invalid } from "@registry/domain";
import type { AuditUseCase } from "./parts.ts";

const most = 100;

export const recordAudit: AuditUseCase<"recordAudit"> = (parts) => async (request) => {
  if (request.entries.length > most)
    throw invalid("TOO_MANY_ENTRIES", `entries: send up to ${most} at once`, "/entries");
  const entries = request.entries.map((entry, i) => {
    if (entry.id === "") throw invalid("INVALID_ENTRY", `entries: number ${i} has no id`, `/entries/${i}/id`);
    const { sequence: _sequence, previousHash: _previousHash, hash: _hash, ...told } = entry;
    return { ...told, time: told.time ?? parts.clock.now() };
  });
  await parts.auditLog.append(entries);
  return {};
};
