import type { AnalyticsServiceDefinition, InsightsServiceDefinition } from "@registry/contracts/analytics";
import type { Clients, Clock, Handler, Ids, Logger, SettingsOf } from "@registry/kit";
import type { Announcer } from "./announcer.ts";
import type { analyticsSettings } from "./config.ts";
import type { Fold } from "./fold.ts";
import type { Folding } from "./folding.ts";
import type { Activities } from "./store/activity.ts";
import type { Batches } from "./store/batches.ts";
import type { Plugins } from "./store/plugins.ts";
import type { Publishes } from "./store/publishes.ts";
import type { Rollups } from "./store/rollups.ts";
import type { Trims } from "./store/trims.ts";
import type { Usages } from "./store/usages.ts";
import type { Windows } from "./windows.ts";

export type AnalyticsConfig = SettingsOf<typeof analyticsSettings> & {
  /** Of the registry; absent as true. */
  readonly ANONYMOUS_READ?: boolean | undefined;
};

/** What the use cases are made of. */
export interface Parts {
  readonly config: AnalyticsConfig;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Logger;
  readonly clients: Clients;
  readonly usages: Usages;
  readonly rollups: Rollups;
  readonly plugins: Plugins;
  readonly publishes: Publishes;
  readonly activities: Activities;
  readonly batches: Batches;
  readonly trims: Trims;
  readonly fold: Fold;
  readonly folding: Folding;
  readonly announcer: Announcer;
  readonly windows: Windows;
}

type Methods = (typeof AnalyticsServiceDefinition)["methods"];
/** A use case: given its parts, it handles the RPC of its name. */
export type UseCase<M extends keyof Methods> = (parts: Parts) => Handler<Methods[M]>;
/** As `UseCase`, of the service that tells how use develops. */
export type Insight<M extends keyof InsightsServiceDefinition["methods"]> = (
  parts: Parts,
) => Handler<InsightsServiceDefinition["methods"][M]>;
