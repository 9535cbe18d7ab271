import { pageSizeOf, wrongPageToken } from "@registry/domain";
import type { Keys } from "@registry/kit";
import { findWebhook } from "../access.ts";
import type { Delivery } from "../model/delivery.ts";
import { type Position, positionAfter, readPosition, tokenOf } from "../model/paging.ts";
import type { WebhookUseCase } from "../parts.ts";
import { knownAmong } from "../shown.ts";
import { toDelivery } from "../wire.ts";

/** Looked at in one call, however few of them may be shown. */
const mostPages = 10;

export const listDeliveries: WebhookUseCase<"listDeliveries"> =
  (parts) =>
  async ({ webhookId, page }, context) => {
    const webhook = await findWebhook(parts.webhooks, webhookId, context);
    const size = pageSizeOf(page);
    let from = openPosition(parts.keys, webhook._id, page?.pageToken ?? "");
    const shown: Delivery[] = [];
    let more = true;
    for (let round = 0; round < mostPages && more && shown.length < size; round++) {
      const found = await parts.deliveries.page(webhook._id, from, size - shown.length + 1);
      const some = found.slice(0, size - shown.length);
      more = found.length > some.length;
      from = positionAfter(
        some.map(({ createdAt }) => createdAt),
        from,
      );
      shown.push(...(await knownAmong(parts.sights, webhook, some, context.signal)));
    }
    return {
      deliveries: shown.map((delivery) => toDelivery(delivery)),
      nextPageToken: more ? sealPosition(parts.keys, webhook._id, from) : "",
    };
  };

const purpose = "delivery-cursor";

/** Sealed: how many are passed over that the caller may not know of is not told. */
function sealPosition(keys: Keys, webhook: string, position: Position): string {
  return keys.seal(purpose, Buffer.from(tokenOf(position)), webhook);
}

function openPosition(keys: Keys, webhook: string, token: string): Position {
  if (token === "") return readPosition("");
  const opened = token.length > 200 ? undefined : keys.open(purpose, token, webhook);
  if (opened === undefined) throw wrongPageToken();
  return readPosition(Buffer.from(opened).toString());
}
