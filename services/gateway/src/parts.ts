import type { AnalyticsServiceDefinition, InsightsServiceDefinition } from "@registry/contracts/analytics";
import type { EventServiceDefinition } from "@registry/contracts/analytics-events";
import type { AuditServiceDefinition } from "@registry/contracts/audit";
import type { AuthServiceDefinition } from "@registry/contracts/auth";
import type { CatalogServiceDefinition, DependentsServiceDefinition } from "@registry/contracts/catalog";
import type { ChangeServiceDefinition } from "@registry/contracts/changes";
import type { FederationServiceDefinition } from "@registry/contracts/federation";
import type { MaintenanceServiceDefinition } from "@registry/contracts/maintenance";
import type { OrganisationServiceDefinition } from "@registry/contracts/organisations";
import type { StorageServiceDefinition } from "@registry/contracts/storage";
import type { WebhookServiceDefinition } from "@registry/contracts/webhooks";
import type { Clock, Logger, Metrics, ReadyState, ServiceClient } from "@registry/kit";
import type { TrustedCache } from "./cache.ts";
import type { ChangeStreams } from "./change-streams.ts";
import type { GatewayConfig } from "./config.ts";
import type { Downloads } from "./download.ts";
import type { Links } from "./links.ts";
import type { ReadyAnswer } from "./ready.ts";
import type { UsageSpool } from "./spool.ts";

/** What routes work with. Clients may be used from `start` on. */
export interface Parts {
  readonly config: GatewayConfig;
  /** Of the registry's program. */
  readonly version: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly auth: ServiceClient<typeof AuthServiceDefinition>;
  readonly federation: ServiceClient<typeof FederationServiceDefinition>;
  readonly organisations: ServiceClient<typeof OrganisationServiceDefinition>;
  readonly audit: ServiceClient<typeof AuditServiceDefinition>;
  readonly catalog: ServiceClient<typeof CatalogServiceDefinition>;
  readonly storage: ServiceClient<typeof StorageServiceDefinition>;
  readonly analytics: ServiceClient<typeof AnalyticsServiceDefinition>;
  readonly changes: ServiceClient<typeof ChangeServiceDefinition>;
  readonly changeStreams: ChangeStreams;
  readonly insights: ServiceClient<typeof InsightsServiceDefinition>;
  readonly dependents: ServiceClient<typeof DependentsServiceDefinition>;
  readonly events: ServiceClient<typeof EventServiceDefinition>;
  readonly maintenance: ServiceClient<typeof MaintenanceServiceDefinition>;
  readonly webhooks: ServiceClient<typeof WebhookServiceDefinition>;
  readonly cache: TrustedCache<ReadyAnswer>;
  readonly links: Links;
  readonly spool: UsageSpool;
  readonly downloads: Downloads;
  /** To be told of every change that was made here, before it is answered. */
  readonly changed: (name: string) => void;
  /** Names that changed a moment ago, to be sent along where a replica answers from memory. */
  readonly changedNames: () => string[];
  /** To be told of every withdrawal of a credential or a right that was made here, before it is answered. */
  readonly rightsChanged: () => Promise<void>;
  /** Whether this process may be sent work. */
  readonly ready: () => Promise<ReadyState>;
}
