import type { Delivery } from "./model/delivery.ts";
import type { Webhook } from "./model/webhook.ts";
import type { Sights } from "./sights.ts";

/**
 * Those that the log may show. What was sent once, the owner was let know; of anything else it may only hear what it may
 * see now.
 */
export async function knownAmong(
  sights: Sights,
  webhook: Webhook,
  deliveries: readonly Delivery[],
  signal: AbortSignal,
): Promise<Delivery[]> {
  const unsent = deliveries.filter(({ attempts, type }) => attempts.length === 0 && type !== "ping");
  const visible = new Set(unsent.length === 0 ? [] : await sights.among(webhook, unsent, signal));
  return deliveries.filter((delivery) => !unsent.includes(delivery) || visible.has(delivery));
}
