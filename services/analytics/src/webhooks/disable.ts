import type { Webhook } from "./model/webhook.ts";
import type { WorkParts } from "./parts.ts";
import { auditOf, noteOf } from "./wire.ts";

const longestMs = 60_000;

/** Switches a webhook off that nobody asked to be, which the audit log is told as a deed of this service. */
export async function disable(parts: WorkParts, webhook: Webhook, state: "failing" | "gone"): Promise<void> {
  const { journal, ids, clock, log, metrics } = parts;
  const id = ids.unique();
  const caller = { type: "service", name: "analytics" } as const;
  const entry = { ...auditOf(webhook), action: "webhook.disable", before: noteOf(webhook) };
  await journal.begin({ ...entry, id, caller, address: undefined, via: undefined, requestId: id, longestMs });
  if (!(await parts.webhooks.disable(webhook, state, clock.now()))) return journal.drop(id);
  await parts.deliveries.cancelAll(webhook._id);
  await journal.end(id, "ok", { after: noteOf({ ...webhook, state }) }, "");
  metrics.disabled.inc({ reason: state });
  log.info({ webhook: webhook._id, state }, "a webhook was switched off");
}
