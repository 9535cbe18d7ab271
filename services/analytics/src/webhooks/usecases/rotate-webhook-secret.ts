import { RegistryError } from "@registry/domain";
import { findWebhook } from "../access.ts";
import { formatSecret, openSecret, sealSecret, secretOf } from "../model/secret.ts";
import type { WebhookUseCase } from "../parts.ts";
import { auditOf, toWebhook } from "../wire.ts";

/** Time for a receiver to be told the new one: until then it finds a signature by each. */
const overlapMs = 24 * 3600_000;

export const rotateWebhookSecret: WebhookUseCase<"rotateWebhookSecret"> =
  (parts) =>
  async ({ id, secret: given }, context) => {
    const before = await findWebhook(parts.webhooks, id, context);
    const secret = secretOf(given, parts.ids);
    const now = parts.clock.now();
    // One of another SECRET_KEY signs nothing any more.
    const signs = openSecret(parts.keys, before._id, before.secret) !== undefined;
    const old = signs ? { oldSecret: { sealed: before.secret, until: new Date(now.getTime() + overlapMs) } } : {};
    context.audit(auditOf(before));
    const next = { secret: sealSecret(parts.keys, before._id, secret), ...old, updatedAt: now };
    const webhook = await parts.webhooks.rotate(before, next);
    if (webhook === null) throw rotatedMeanwhile();
    return { webhook: toWebhook(webhook, now), secret: formatSecret(secret) };
  };

/** The secret that somebody else was shown must not be lost. */
const rotatedMeanwhile = (): RegistryError =>
  new RegistryError(
    "conflict",
    "WEBHOOK_CHANGED",
    "Somebody else changed the webhook at the same time; look at it again",
  );
