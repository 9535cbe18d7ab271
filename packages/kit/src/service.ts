import type { Clock, Ids } from "./clock.ts";
import type { Clients } from "./grpc/clients.ts";
import type { ServiceTable } from "./grpc/table.ts";
import type { Identity } from "./identity/identity.ts";
import type { Keys } from "./identity/keys.ts";
import type { Logger } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import type { Tracing } from "./telemetry/tracing.ts";

export const serviceNames = ["auth", "catalog", "storage", "analytics", "gateway"] as const;
export type ServiceName = (typeof serviceNames)[number];

/** What every service is handed beside its own configuration and stores. */
export interface Surroundings {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly tracing: Tracing;
  readonly keys: Keys;
  readonly identity: Identity;
  /** May be used from `start` on. */
  readonly clients: Clients;
}

/** A service that was composed. */
export interface Service {
  readonly name: ServiceName;
  /** None for the gateway. */
  readonly tables: readonly ServiceTable[];
  /** Begins consuming, relaying, sweeping, listening. Called once, when all tables are hosted. */
  start(): Promise<void>;
  /** What it needs, by name (`database`, `storage`, `cache`, `bus`), and whether that answers. Bounded to a second. */
  checks(): Promise<Record<string, boolean>>;
  /** Ends work under way and frees what it opened. Idempotent. */
  close(): Promise<void>;
}

/** Turns a probe into a check that answers within a second. */
export async function probe(ask: () => Promise<void>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), 1000);
  });
  const asked = ask().then(
    () => true,
    () => false,
  );
  const answer = await Promise.race([asked, late]);
  clearTimeout(timer);
  return answer;
}
