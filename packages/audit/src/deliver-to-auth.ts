import { AuditServiceDefinition } from "@registry/contracts/audit";
import type { Clients } from "@registry/kit";
import type { Told } from "./entry.ts";

const timeoutMs = 5000;

/** Hands entries to the service that keeps the log, in the name of the service whose clients these are. */
export function deliverToAuth(clients: Clients): (entries: readonly Told[]) => Promise<void> {
  return async (entries) => {
    await clients.of(AuditServiceDefinition).recordAudit({ entries: [...entries] }, { as: "service", timeoutMs });
  };
}
