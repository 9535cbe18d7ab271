import { RegistryError } from "@registry/domain";
import type { Keys } from "@registry/kit";
import { findWebhook } from "../access.ts";
import { formatSecret, openSecret, sealSecret, secretOf } from "../model/secret.ts";
import type { OldSecret, Webhook } from "../model/webhook.ts";
import type { WebhookUseCase } from "../parts.ts";
import { auditOf, toWebhook } from "../wire.ts";

/** Time for a receiver to be told the new one: until then it finds a signature by each. */
const overlapMs = 24 * 3600_000;
/** A receiver looks through all signatures. */
const mostOld = 4;

export const rotateWebhookSecret: WebhookUseCase<"rotateWebhookSecret"> =
  (parts) =>
  async ({ id, secret: given }, context) => {
    const before = await findWebhook(parts.webhooks, id, context);
    const secret = secretOf(given, parts.ids);
    const now = parts.clock.now();
    context.audit(auditOf(before));
    const sealed = sealSecret(parts.keys, before._id, secret);
    const next = { secret: sealed, oldSecrets: oldSecretsOf(parts.keys, before, now), updatedAt: now };
    const webhook = await parts.webhooks.rotate(before, next);
    if (webhook === null) throw rotatedMeanwhile();
    return { webhook: toWebhook(webhook, now), secret: formatSecret(secret) };
  };

/** Those that still sign; one of another SECRET_KEY signs nothing any more. */
function oldSecretsOf(keys: Keys, { _id, secret, oldSecrets = [] }: Webhook, now: Date): OldSecret[] {
  const last = { sealed: secret, until: new Date(now.getTime() + overlapMs) };
  return [last, ...oldSecrets.filter(({ until }) => until > now)]
    .filter(({ sealed }) => openSecret(keys, _id, sealed) !== undefined)
    .slice(0, mostOld);
}

/** The secret that somebody else was shown must not be lost. */
const rotatedMeanwhile = (): RegistryError =>
  new RegistryError(
    "conflict",
    "WEBHOOK_CHANGED",
    "Somebody else changed the webhook at the same time; look at it again",
  );
