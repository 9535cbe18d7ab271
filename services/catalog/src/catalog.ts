import { deliverToAuth, openJournal } from "@registry/audit";
import { type Bus, createRelay, type RelayedEvent, relayedEventsSpec, type Subscription } from "@registry/bus";
import { AuthServiceDefinition } from "@registry/contracts/auth";
import { OrganisationServiceDefinition } from "@registry/contracts/organisations";
import { StorageServiceDefinition } from "@registry/contracts/storage";
import type { Documents } from "@registry/documents";
import {
  journaled,
  outsideTraces,
  probe,
  type Service,
  type SettingsOf,
  type Surroundings,
  sharedChecks,
} from "@registry/kit";
import { Limits } from "@registry/limits";
import { Backfill } from "./backfill.ts";
import { Books } from "./books.ts";
import { ChangeHub } from "./changes.ts";
import { type catalogSettings, policyOf } from "./config.ts";
import { consumeDownloads } from "./consumers.ts";
import { createEventMaker } from "./events.ts";
import { catalogTable, dependentsTable } from "./grpc.ts";
import { maintenanceTable } from "./maintenance/grpc.ts";
import type { PluginDocument } from "./model/plugin.ts";
import { sampleOutboxes } from "./outbox-gauges.ts";
import type { Parts } from "./parts.ts";
import { Projector } from "./projector.ts";
import { PublishOutcomes } from "./publish/outcomes.ts";
import { Feed } from "./search/feed.ts";
import { LiveDirectory } from "./search/live-directory.ts";
import { createTextIndex } from "./search/minisearch.ts";
import { Rebuilder } from "./search/rebuilder.ts";
import { PluginStore } from "./store/plugins.ts";
import { Rebuilds } from "./store/rebuilds.ts";
import { ReleaseStore } from "./store/releases.ts";
import { Sweeper } from "./sweeper.ts";
import { TestRunner } from "./test-runner.ts";

export interface CatalogDeps extends Surroundings {
  /** This service's own database. */
  readonly documents: Documents;
  readonly bus: Bus;
}

/** Composes the catalog: names, releases, channels and search. */
export async function createCatalogService(
  config: SettingsOf<typeof catalogSettings>,
  deps: CatalogDeps,
): Promise<Service> {
  const { clock, ids, keys, log, metrics, clients, documents, bus } = deps;
  const now = (): Date => clock.now();

  const plugins = await PluginStore.open(documents, now);
  const releases = await ReleaseStore.open(documents, config.LIMIT_RELEASES);
  const kept = await documents.collection<RelayedEvent>(relayedEventsSpec);
  const relays = [plugins.collection, releases.collection].map((collection) =>
    createRelay({ collection, kept, bus, clock, log }),
  );

  const journal = await openJournal({ documents, clock, log, deliver: deliverToAuth(clients) });
  const directory = new LiveDirectory(createTextIndex);
  const instance = ids.unique();
  const changes = new ChangeHub(instance);
  const learned = (plugin: PluginDocument): void => {
    const learnt = directory.put(plugin);
    // Nobody has to see a count at once, and what watchers keep is renewed within seconds: while a plugin is in steady
    // use, they would keep nothing of it.
    if (learnt === "anything") changes.announce(plugin._id);
    backfill.seen(plugin);
  };
  const backfill: Backfill = new Backfill({ plugins, releases, log, learned });
  const events = createEventMaker(now, ids.unique);
  const parts: Parts = {
    config,
    policy: policyOf(config),
    clock,
    keys,
    log,
    plugins,
    releases,
    limits: await Limits.open(documents, clock, (limit) => metrics.rateLimited.inc({ limit })),
    books: new Books(releases, config.CATALOG_CACHE_SIZE),
    get directory() {
      return directory.current;
    },
    projector: new Projector(plugins, releases, clock, events, learned),
    changes,
    events,
    outcomes: new PublishOutcomes(metrics),
    storage: () => clients.of(StorageServiceDefinition),
    auth: () => clients.of(AuthServiceDefinition),
    organisations: () => clients.of(OrganisationServiceDefinition),
    learned,
    reread: (names) => feed.reread(names),
    // Both work for everybody, whoever set them off.
    kickTests: () => outsideTraces(() => tests.kick()),
    kick: () =>
      outsideTraces(() => {
        for (const relay of relays) relay.kick();
      }),
  };
  const feed: Feed = new Feed({
    plugins,
    bus,
    clock,
    log,
    stampOf: (name) => directory.current.stampOf(name),
    revisionOf: (name) => directory.current.revisionOf(name),
    learned,
    loaded: () => directory.current.markLoaded(),
    rebuild: () => directory.rebuild(),
  });
  const rebuilds = await Rebuilds.open(documents);
  const rebuild = () => feed.rebuild((name) => changes.announce(name));
  const rebuilder = new Rebuilder({ rebuilds, clock, log, instance, rebuild });
  const maintenance = { ...parts, relays, rebuilds, kickRebuild: () => rebuilder.kick() };
  const sampler = sampleOutboxes(relays, deps);
  const sweeper = new Sweeper(parts);
  const tests: TestRunner = new TestRunner(parts);
  let downloads: Subscription | undefined;

  const ask = async (): Promise<Record<string, boolean>> => {
    const [database, onBus] = await Promise.all([probe(() => documents.ping()), probe(() => bus.ping())]);
    return { database: database && directory.current.loaded, bus: onBus };
  };
  const checks = sharedChecks("catalog", ask, clock);

  return {
    name: "catalog",
    tables: journaled([catalogTable(parts, checks), dependentsTable(parts), maintenanceTable(maintenance)], journal),
    async start() {
      downloads = await consumeDownloads(bus, parts);
      await rebuilder.begin();
      await feed.start();
      for (const relay of relays) relay.start();
      sweeper.start();
      tests.start();
      rebuilder.start();
      sampler.start();
      journal.start();
    },
    checks,
    async close() {
      changes.close();
      await Promise.all([
        downloads?.close(),
        feed.close(),
        backfill.close(),
        sweeper.close(),
        tests.close(),
        rebuilder.close(),
        sampler.close(),
        journal.close(),
        ...relays.map((relay) => relay.close()),
      ]);
    },
  };
}
