import { deliverToAuth, type Journal, openJournal } from "@registry/audit";
import type { Bus, Subscription } from "@registry/bus";
import type { Documents } from "@registry/documents";
import { journaled, probe, type Service, type Surroundings } from "@registry/kit";
import { Announcer } from "./announcer.ts";
import { type Changes, openChanges } from "./changes/changes.ts";
import { subscribe } from "./consumers.ts";
import { createEvents, type Events } from "./events/events.ts";
import { exportCounts } from "./exported.ts";
import { createFold } from "./fold.ts";
import { Folding } from "./folding.ts";
import { analyticsTable, insightsTable } from "./grpc.ts";
import { Lead } from "./lead.ts";
import type { AnalyticsConfig, Parts } from "./parts.ts";
import { Activities } from "./store/activity.ts";
import { Batches } from "./store/batches.ts";
import { Plugins } from "./store/plugins.ts";
import { Publishes } from "./store/publishes.ts";
import { Rollups } from "./store/rollups.ts";
import { Tellings } from "./store/tellings.ts";
import { Trims } from "./store/trims.ts";
import { Usages } from "./store/usages.ts";
import { Sweeper } from "./sweeper.ts";
import { openWebhooks, type Receivers, type Webhooks } from "./webhooks/webhooks.ts";
import { Windows } from "./windows.ts";

export interface AnalyticsDeps extends Surroundings {
  readonly documents: Documents;
  readonly bus: Bus;
  /** No other replica works on these documents. */
  readonly alone?: boolean;
  /** Of the program. */
  readonly version?: string;
  /** Of webhooks; as usual where absent. */
  readonly receivers?: Receivers;
}

export async function createAnalyticsService(config: AnalyticsConfig, deps: AnalyticsDeps): Promise<Service> {
  const { documents, bus, clock, ids, log, clients } = deps;
  const usages = await Usages.open(documents);
  const rollups = await Rollups.open(documents);
  const activities = await Activities.open(documents);
  const batches = await Batches.open(documents);
  const announcer = new Announcer(rollups, await Tellings.open(documents), bus, deps);
  const fold = createFold({ usages, rollups, activities });
  const parts: Parts = {
    config,
    clock,
    ids,
    log,
    clients,
    usages,
    rollups,
    activities,
    plugins: await Plugins.open(documents),
    publishes: await Publishes.open(documents),
    batches,
    trims: await Trims.open(documents),
    fold,
    folding: new Folding({ fold, batches, log, counted: () => announcer.nudge() }),
    announcer,
    windows: new Windows(rollups, clock),
  };
  const lead = deps.alone === true ? undefined : await Lead.open(deps);
  const speaks = (): boolean => lead?.held ?? true;
  exportCounts(parts, deps.metrics, { names: config.ANONYMOUS_READ !== false, speaks });
  const changes = await openChanges(config, deps);
  const journal = await openJournal({ documents, clock, log, deliver: deliverToAuth(clients) });
  const { alone = false, version = "unknown", receivers = {} } = deps;
  return assemble(parts, deps, {
    ...{ lead, changes, journal },
    events: await createEvents(parts, deps),
    webhooks: await openWebhooks(config, { ...deps, changes, journal, alone, version, receivers }),
  });
}

interface Own {
  /** Absent where this process is alone. */
  readonly lead: Lead | undefined;
  readonly journal: Journal;
  readonly changes: Changes;
  readonly events: Events;
  readonly webhooks: Webhooks;
}

function assemble(parts: Parts, { documents, bus }: AnalyticsDeps, own: Own): Service {
  const { lead, journal, changes, events, webhooks } = own;
  const sweeper = new Sweeper(parts);
  let subscription: Subscription | undefined;
  return {
    name: "analytics",
    tables: journaled(
      [analyticsTable(parts), insightsTable(parts), changes.table, events.table, webhooks.table],
      journal,
    ),
    async start() {
      subscription = await subscribe(parts, bus);
      sweeper.start();
      await changes.start();
      await events.start();
      journal.start();
      await webhooks.start();
      await lead?.start();
    },
    async checks() {
      const [database, onBus] = await Promise.all([probe(() => documents.ping()), probe(() => bus.ping())]);
      return { database, bus: onBus };
    },
    async close() {
      await webhooks.close();
      await changes.close();
      await subscription?.close();
      await events.close();
      await parts.folding.close();
      await parts.announcer.close();
      await sweeper.close();
      await journal.close();
      await lead?.close();
    },
  };
}
