import type { WebhookServiceDefinition } from "@registry/contracts/webhooks";
import type { AuditJournal, Clients, Clock, Handler, Ids, Keys, Logger, SettingsOf } from "@registry/kit";
import type { Limits } from "@registry/limits";
import type { ChangeStore } from "../changes/store/changes.ts";
import type { webhookSettings } from "./config.ts";
import type { WebhookMetrics } from "./metrics.ts";
import type { AllowedAddresses } from "./model/addresses.ts";
import type { Sender } from "./sending/sender.ts";
import type { Sights } from "./sights.ts";
import type { DeliveryStore } from "./store/deliveries.ts";
import type { WebhookStore } from "./store/webhooks.ts";

/** What the use cases about webhooks are made of. */
export interface WebhookParts {
  readonly config: SettingsOf<typeof webhookSettings>;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly keys: Keys;
  readonly log: Logger;
  readonly clients: Clients;
  readonly changes: ChangeStore;
  readonly webhooks: WebhookStore;
  readonly deliveries: DeliveryStore;
  readonly allowed: AllowedAddresses;
  readonly sights: Sights;
  readonly limits: Limits;
  /** Something is due: this replica looks at once. */
  readonly kick: () => void;
}

/** What deliveries are made with, beside. */
export interface WorkParts extends WebhookParts {
  readonly sender: Sender;
  readonly metrics: WebhookMetrics;
  /** For what this service does by itself. */
  readonly journal: AuditJournal;
  /** Of the program, as receivers are told it. */
  readonly version: string;
}

type Methods = (typeof WebhookServiceDefinition)["methods"];
/** A use case: given its parts, it handles the RPC of its name. */
export type WebhookUseCase<M extends keyof Methods> = (parts: WebhookParts) => Handler<Methods[M]>;
