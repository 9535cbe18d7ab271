import { AuditServiceDefinition } from "@registry/contracts/audit";
import { admins, anyOf, defineService, type ServiceTable, services, users } from "@registry/kit";
import { exportAudit } from "./export-audit.ts";
import { getAuditHead } from "./get-audit-head.ts";
import { listAudit } from "./list-audit.ts";
import type { AuditParts } from "./parts.ts";
import { recordAudit } from "./record-audit.ts";

const exportMs = 60 * 60_000;

export function auditTable(parts: AuditParts): ServiceTable {
  return defineService(AuditServiceDefinition, {
    recordAudit: {
      allow: services("catalog", "storage", "analytics", "gateway", "auth"),
      handle: recordAudit(parts),
    },
    // An organisation's owners read its rows; whose they are is known once it is named.
    listAudit: { allow: users, handle: listAudit(parts) },
    exportAudit: { allow: anyOf(admins, services("cli")), handle: exportAudit(parts), maxDurationMs: exportMs },
    getAuditHead: { allow: anyOf(admins, services("cli")), handle: getAuditHead(parts) },
  });
}
