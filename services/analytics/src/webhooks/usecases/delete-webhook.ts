import { findWebhook } from "../access.ts";
import { webhookNotFound } from "../model/webhook.ts";
import type { WebhookUseCase } from "../parts.ts";
import { auditOf, noteOf } from "../wire.ts";

export const deleteWebhook: WebhookUseCase<"deleteWebhook"> =
  (parts) =>
  async ({ id }, context) => {
    const webhook = await findWebhook(parts.webhooks, id, context);
    context.audit({ ...auditOf(webhook), before: noteOf(webhook) });
    if (!(await parts.webhooks.remove(webhook._id))) throw webhookNotFound();
    // What a crash leaves of them is sent to nobody, and ages out.
    await parts.deliveries.removeAll(webhook._id);
    return {};
  };
