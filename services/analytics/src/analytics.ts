import type { Bus, Subscription } from "@registry/bus";
import type { Documents } from "@registry/documents";
import { probe, type Service, type Surroundings } from "@registry/kit";
import { Announcer } from "./announcer.ts";
import { type Changes, openChanges } from "./changes/changes.ts";
import { subscribe } from "./consumers.ts";
import { createFold } from "./fold.ts";
import { analyticsTable } from "./grpc.ts";
import type { AnalyticsConfig, Parts } from "./parts.ts";
import { Activities } from "./store/activity.ts";
import { Plugins } from "./store/plugins.ts";
import { Publishes } from "./store/publishes.ts";
import { Rollups } from "./store/rollups.ts";
import { Usages } from "./store/usages.ts";
import { Sweeper } from "./sweeper.ts";

export interface AnalyticsDeps extends Surroundings {
  readonly documents: Documents;
  readonly bus: Bus;
}

export async function createAnalyticsService(config: AnalyticsConfig, deps: AnalyticsDeps): Promise<Service> {
  const { documents, bus, clock, log, clients } = deps;
  const usages = await Usages.open(documents);
  const rollups = await Rollups.open(documents);
  const activities = await Activities.open(documents);
  const parts: Parts = {
    config,
    clock,
    log,
    clients,
    usages,
    rollups,
    activities,
    plugins: await Plugins.open(documents),
    publishes: await Publishes.open(documents),
    fold: createFold({ usages, rollups, activities }),
    announcer: new Announcer(rollups, bus, deps),
  };
  return assemble(parts, await openChanges(config, deps), deps);
}

function assemble(parts: Parts, changes: Changes, { documents, bus }: AnalyticsDeps): Service {
  const sweeper = new Sweeper(parts);
  let subscription: Subscription | undefined;
  return {
    name: "analytics",
    tables: [analyticsTable(parts), changes.table],
    async start() {
      subscription = await subscribe(parts, bus);
      sweeper.start();
      await changes.start();
    },
    async checks() {
      const [database, onBus] = await Promise.all([probe(() => documents.ping()), probe(() => bus.ping())]);
      return { database, bus: onBus };
    },
    async close() {
      await changes.close();
      await subscription?.close();
      await parts.announcer.close();
      await sweeper.close();
    },
  };
}
