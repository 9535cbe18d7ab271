import type { Bus, Relay } from "@registry/bus";
import type { EventServiceDefinition } from "@registry/contracts/analytics-events";
import type { Clients, Clock, Handler, Ids, Logger } from "@registry/kit";
import type { DeadLetters } from "../store/dead-letters.ts";
import type { RebuildJobs } from "../store/rebuild-jobs.ts";

/** What the use cases about events are made of. */
export interface EventParts {
  readonly bus: Bus;
  readonly clients: Clients;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Logger;
  readonly deadLetters: DeadLetters;
  /** Of retries. */
  readonly relay: Relay;
  readonly rebuilds: RebuildJobs;
  /** This replica looks at once. */
  readonly kickRebuild: () => void;
}

type Methods = (typeof EventServiceDefinition)["methods"];
export type EventUseCase<M extends keyof Methods> = (parts: EventParts) => Handler<Methods[M]>;
