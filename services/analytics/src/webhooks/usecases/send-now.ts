import type { Rate } from "@registry/limits";
import type { Webhook } from "../model/webhook.ts";
import type { WebhookParts } from "../parts.ts";

/** How often one user may have something sent by hand, whatever it is. */
export function sendingRate({ config }: Pick<WebhookParts, "config">): Rate {
  return { limit: config.RATE_LIMIT_WEBHOOK_TESTS, windowSeconds: 60 };
}

/** Somebody waits for it: not even a receiver that asked for a rest gets one. */
export async function sendNow(parts: WebhookParts, { _id, restUntil }: Webhook): Promise<void> {
  if (restUntil !== undefined) await parts.webhooks.update(_id, { $unset: { restUntil: true } });
  await parts.webhooks.wake([_id], parts.clock.now());
  parts.kick();
}
