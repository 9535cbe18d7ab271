import { findWebhook } from "../access.ts";
import type { WebhookUseCase } from "../parts.ts";
import { toWebhook } from "../wire.ts";

export const getWebhook: WebhookUseCase<"getWebhook"> =
  (parts) =>
  async ({ id }, context) => ({
    webhook: toWebhook(await findWebhook(parts.webhooks, id, context), parts.clock.now()),
  });
