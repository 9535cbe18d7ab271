import type { AuditUseCase } from "./parts.ts";
import { toEntry } from "./row.ts";

const pageSize = 100;

/** To the end of the log as it is when it is reached. */
export const exportAudit: AuditUseCase<"exportAudit"> = ({ auditLog }) =>
  async function* (request, { signal }) {
    let last = Math.max(0, request.fromSequence - 1);
    for (;;) {
      signal.throwIfAborted();
      const rows = await auditLog.after(last, pageSize);
      if (rows.length > 0) yield { entries: rows.map(toEntry) };
      if (rows.length < pageSize) return;
      last = rows.at(-1)?._id ?? last;
    }
  };
