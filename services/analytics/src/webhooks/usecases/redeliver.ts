import { notFound, RegistryError } from "@registry/domain";
import { callerOf, findWebhook } from "../access.ts";
import type { WebhookUseCase } from "../parts.ts";
import { knownAmong } from "../shown.ts";
import { auditOf, toDelivery } from "../wire.ts";
import { sendingRate, sendNow } from "./send-now.ts";

export const redeliver: WebhookUseCase<"redeliver"> =
  (parts) =>
  async ({ webhookId, deliveryId }, context) => {
    const webhook = await findWebhook(parts.webhooks, webhookId, context);
    const found = await parts.deliveries.find(webhook._id, deliveryId);
    const [known] = await knownAmong(parts.sights, webhook, found === null ? [] : [found], context.signal);
    if (known === undefined) throw deliveryNotFound();
    if (webhook.state !== "active" && known.type !== "ping") throw notActive();
    await parts.limits.demand("webhook_test", String(callerOf(context).id), sendingRate(parts));
    context.audit({ ...auditOf(webhook), after: { delivery: known._id } });
    const delivery = await parts.deliveries.restart(known._id, parts.clock.now());
    if (delivery === null) throw deliveryNotFound();
    await sendNow(parts, webhook);
    return { delivery: toDelivery(delivery) };
  };

const deliveryNotFound = (): RegistryError => notFound("DELIVERY_NOT_FOUND", "Delivery not found");
const notActive = (): RegistryError =>
  new RegistryError("conflict", "WEBHOOK_NOT_ACTIVE", "The webhook is switched off; switch it on first");
