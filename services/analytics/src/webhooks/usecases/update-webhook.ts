import type { UpdateWebhookRequest } from "@registry/contracts/webhooks";
import type { Value } from "@registry/documents";
import { findWebhook } from "../access.ts";
import { parseTarget } from "../model/url.ts";
import { parseDescription, parseEvents, parsePlugins, type Webhook, webhookNotFound } from "../model/webhook.ts";
import type { WebhookParts, WebhookUseCase } from "../parts.ts";
import { auditOf, noteOf, toWebhook } from "../wire.ts";

/** A new receiver, or one that is given another chance, begins with a clean slate. */
const cleanSlate = { failingSince: true, restUntil: true } as const;

export const updateWebhook: WebhookUseCase<"updateWebhook"> = (parts) => async (request, context) => {
  const before = await findWebhook(parts.webhooks, request.id, context);
  const now = parts.clock.now();
  const changed = { ...parseChanged(parts, request), ...(await switched(parts, request, before)) };
  context.audit({ ...auditOf(before), before: noteOf(before) });
  const fresh = changed.url !== undefined || changed.state === "active";
  const update = { $set: { ...changed, updatedAt: now }, ...(fresh ? { $unset: cleanSlate } : {}) };
  const webhook = await parts.webhooks.update(before._id, update);
  if (webhook === null) throw webhookNotFound();
  if (webhook.state !== "active") await parts.deliveries.cancelAll(webhook._id);
  context.audit({ after: noteOf(webhook) });
  return { webhook: toWebhook(webhook, now) };
};

function parseChanged({ allowed }: WebhookParts, request: UpdateWebhookRequest): { readonly [field: string]: Value } {
  const { url, description, events, plugins } = request;
  return {
    ...(url === undefined ? {} : { url: parseTarget(url, allowed) }),
    ...(description === undefined ? {} : { description: parseDescription(description) }),
    ...(events === undefined ? {} : { events: parseEvents(events.values) }),
    ...(plugins === undefined ? {} : { plugins: parsePlugins(plugins.values) }),
  };
}

/** What happened while it was off is not sent later. */
async function switched(
  { changes }: WebhookParts,
  { active }: UpdateWebhookRequest,
  { state }: Webhook,
): Promise<{ readonly [field: string]: Value }> {
  if (active === undefined || active === (state === "active")) return {};
  if (active) return { state: "active", from: await changes.newest() };
  return state === "paused" ? {} : { state: "paused" };
}
