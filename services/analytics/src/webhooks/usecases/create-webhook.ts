import type { CreateWebhookRequest } from "@registry/contracts/webhooks";
import { callerOf, ownerNamed } from "../access.ts";
import { formatSecret, sealSecret, secretOf } from "../model/secret.ts";
import { parseTarget } from "../model/url.ts";
import { type Owner, ownerKeyOf, parseDescription, parseEvents, parsePlugins, type Webhook } from "../model/webhook.ts";
import type { WebhookParts, WebhookUseCase } from "../parts.ts";
import { auditOf, noteOf, toWebhook } from "../wire.ts";

/** It is told of what comes into the feed from now on. */
export const createWebhook: WebhookUseCase<"createWebhook"> = (parts) => async (request, context) => {
  const caller = callerOf(context);
  const wanted = parseWanted(parts, request);
  const secret = secretOf(request.secret, parts.ids);
  const owner = await ownerNamed(parts.clients, request.organisation, context);
  const now = parts.clock.now();
  const _id = parts.ids.unique();
  const made: Omit<Webhook, "slot"> = {
    _id,
    ...ownedBy(owner),
    ...wanted,
    state: "active",
    from: await parts.changes.newest(),
    secret: sealSecret(parts.keys, _id, secret),
    ...{ createdBy: caller.username, createdAt: now, updatedAt: now },
    ...{ wakes: 0, worker: "", leasedUntil: new Date(0) },
  };
  const webhook = await parts.webhooks.insert(made, parts.config.LIMIT_WEBHOOKS_PER_OWNER);
  context.audit({ ...auditOf(webhook), after: noteOf(webhook) });
  return { webhook: toWebhook(webhook, now), secret: formatSecret(secret) };
};

function parseWanted({ allowed }: WebhookParts, request: CreateWebhookRequest) {
  return {
    url: parseTarget(request.url, allowed),
    description: parseDescription(request.description),
    events: parseEvents(request.events),
    plugins: parsePlugins(request.plugins),
  };
}

function ownedBy(owner: Owner): Pick<Webhook, "ownerKey" | "userId" | "username" | "org"> {
  const ownerKey = ownerKeyOf(owner);
  if (owner.type === "organisation") return { ownerKey, org: owner.name };
  return { ownerKey, userId: owner.id, username: owner.username };
}
