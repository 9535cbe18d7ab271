import { callerOf, findWebhook } from "../access.ts";
import { pingOf } from "../model/delivery.ts";
import type { WebhookUseCase } from "../parts.ts";
import { auditOf, toDelivery } from "../wire.ts";
import { sendingRate, sendNow } from "./send-now.ts";

export const testWebhook: WebhookUseCase<"testWebhook"> =
  (parts) =>
  async ({ id }, context) => {
    const webhook = await findWebhook(parts.webhooks, id, context);
    await parts.limits.demand("webhook_test", String(callerOf(context).id), sendingRate(parts));
    const delivery = pingOf(webhook._id, parts.ids.unique(), parts.clock.now());
    context.audit({ ...auditOf(webhook), after: { delivery: delivery._id } });
    await parts.deliveries.add([delivery]);
    await sendNow(parts, webhook);
    return { delivery: toDelivery(delivery) };
  };
