import { isAdmin, pageSizeOf, permissionDenied } from "@registry/domain";
import { callerOf, ownerNamed } from "../access.ts";
import { positionAfter, readPosition, tokenOf } from "../model/paging.ts";
import { ownerKeyOf } from "../model/webhook.ts";
import type { WebhookUseCase } from "../parts.ts";
import { toWebhook } from "../wire.ts";

export const listWebhooks: WebhookUseCase<"listWebhooks"> =
  (parts) =>
  async ({ page, organisation, all }, context) => {
    if (all && !isAdmin(callerOf(context))) throw permissionDenied();
    const size = pageSizeOf(page);
    const from = readPosition(page?.pageToken ?? "");
    const everybody = all && organisation === "";
    const owner = everybody ? undefined : ownerKeyOf(await ownerNamed(parts.clients, organisation, context));
    const found = await parts.webhooks.page(owner, from, size + 1);
    const shown = found.slice(0, size);
    const times = shown.map(({ createdAt }) => createdAt);
    const now = parts.clock.now();
    return {
      webhooks: shown.map((webhook) => toWebhook(webhook, now)),
      nextPageToken: found.length > size ? tokenOf(positionAfter(times, from)) : "",
    };
  };
