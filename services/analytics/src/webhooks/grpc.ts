import { WebhookServiceDefinition } from "@registry/contracts/webhooks";
import { defineService, type ServiceTable, unscoped } from "@registry/kit";
import type { WebhookParts } from "./parts.ts";
import { createWebhook } from "./usecases/create-webhook.ts";
import { deleteWebhook } from "./usecases/delete-webhook.ts";
import { getWebhook } from "./usecases/get-webhook.ts";
import { listDeliveries } from "./usecases/list-deliveries.ts";
import { listWebhooks } from "./usecases/list-webhooks.ts";
import { redeliver } from "./usecases/redeliver.ts";
import { rotateWebhookSecret } from "./usecases/rotate-webhook-secret.ts";
import { testWebhook } from "./usecases/test-webhook.ts";
import { updateWebhook } from "./usecases/update-webhook.ts";

const of =
  (action: string) =>
  ({ id }: { readonly id: string }) => ({ action, target: id });

export function webhookTable(parts: WebhookParts): ServiceTable {
  return defineService(WebhookServiceDefinition, {
    createWebhook: { allow: unscoped, handle: createWebhook(parts), audit: () => ({ action: "webhook.create" }) },
    listWebhooks: { allow: unscoped, handle: listWebhooks(parts) },
    getWebhook: { allow: unscoped, handle: getWebhook(parts) },
    updateWebhook: { allow: unscoped, handle: updateWebhook(parts), audit: of("webhook.update") },
    deleteWebhook: { allow: unscoped, handle: deleteWebhook(parts), audit: of("webhook.delete") },
    rotateWebhookSecret: { allow: unscoped, handle: rotateWebhookSecret(parts), audit: of("webhook.rotate") },
    testWebhook: { allow: unscoped, handle: testWebhook(parts), audit: of("webhook.test") },
    listDeliveries: { allow: unscoped, handle: listDeliveries(parts) },
    redeliver: {
      allow: unscoped,
      handle: redeliver(parts),
      audit: ({ webhookId }) => ({ action: "webhook.redeliver", target: webhookId }),
    },
  });
}
