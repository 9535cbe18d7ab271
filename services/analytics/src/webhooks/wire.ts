import type { Delivery as DeliveryMessage, Webhook as WebhookMessage } from "@registry/contracts/webhooks";
import type { AuditNote } from "@registry/kit";
import type { Delivery } from "./model/delivery.ts";
import { ownerOf, type Webhook } from "./model/webhook.ts";

/** Without its secrets. */
export function toWebhook(webhook: Webhook, now: Date): WebhookMessage {
  const { _id: id, url, description, events, plugins, state, failingSince, createdBy, createdAt, updatedAt } = webhook;
  const owner = ownerOf(webhook);
  const oldUntil = webhook.oldSecrets?.[0]?.until;
  return {
    id,
    owner: owner.type === "user" ? owner.username : "",
    organisation: owner.type === "organisation" ? owner.name : "",
    url,
    description,
    events: [...events],
    plugins: [...plugins],
    state,
    failingSince,
    oldSecretUntil: oldUntil !== undefined && oldUntil > now ? oldUntil : undefined,
    createdBy,
    createdAt,
    updatedAt,
  };
}

export function toDelivery(delivery: Delivery): DeliveryMessage {
  const { _id: id, type, plugin = "", version = "", time, state, createdAt, nextAt, attempts } = delivery;
  return {
    ...{ id, type, plugin, version, time, state, createdAt },
    nextAttemptAt: nextAt,
    attempts: attempts.map(({ ms: durationMs, ...attempt }) => ({ ...attempt, durationMs })),
  };
}

/** What the audit log keeps: of the URL where it leads alone, since receivers know their callers by the rest of it. */
export function noteOf({ url, events, plugins, state, org, username }: Webhook): object {
  const { origin } = new URL(url);
  const owner = org === undefined ? { owner: username ?? "" } : { organisation: org };
  return { ...owner, receiver: origin, events: [...events], plugins: [...plugins], state };
}

export function auditOf({ _id: target, org: organisation }: Webhook): AuditNote {
  return { target, organisation };
}
