import type { Documents } from "@registry/documents";
import type { ServiceTable, SettingsOf, Surroundings } from "@registry/kit";
import { Limits } from "@registry/limits";
import type { ChangeStore } from "../changes/store/changes.ts";
import type { webhookSettings } from "./config.ts";
import { webhookTable } from "./grpc.ts";
import { AllowedAddresses } from "./model/addresses.ts";
import type { WebhookParts } from "./parts.ts";
import { Sights } from "./sights.ts";
import { DeliveryStore } from "./store/deliveries.ts";
import { WebhookStore } from "./store/webhooks.ts";

export interface WebhooksDeps extends Pick<Surroundings, "clock" | "ids" | "keys" | "log" | "clients" | "metrics"> {
  readonly documents: Documents;
  readonly changes: ChangeStore;
}

/** Webhooks as a part of the service. */
export interface Webhooks {
  readonly table: ServiceTable;
}

export async function openWebhooks(config: SettingsOf<typeof webhookSettings>, deps: WebhooksDeps): Promise<Webhooks> {
  const { documents, clock, ids, keys, log, clients, metrics, changes } = deps;
  const parts: WebhookParts = {
    ...{ config, clock, ids, keys, log, clients, changes },
    webhooks: await WebhookStore.open(documents),
    deliveries: await DeliveryStore.open(documents),
    allowed: new AllowedAddresses(config.WEBHOOK_ALLOWED_NETWORKS),
    sights: new Sights({ clients, clock, ids }),
    limits: await Limits.open(documents, clock, (limit) => metrics.rateLimited.inc({ limit })),
    kick: () => undefined,
  };
  return { table: webhookTable(parts) };
}
