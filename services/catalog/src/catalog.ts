import { deliverToAuth, openJournal } from "@registry/audit";
import { type Bus, createRelay, type RelayedEvent, relayedEventsSpec, type Subscription } from "@registry/bus";
import { AuthServiceDefinition } from "@registry/contracts/auth";
import { OrganisationServiceDefinition } from "@registry/contracts/organisations";
import { StorageServiceDefinition } from "@registry/contracts/storage";
import type { Documents } from "@registry/documents";
import { journaled, outsideTraces, probe, type Service, type SettingsOf, type Surroundings } from "@registry/kit";
import { Limits } from "@registry/limits";
import { Backfill } from "./backfill.ts";
import { Books } from "./books.ts";
import { ChangeHub } from "./changes.ts";
import { type catalogSettings, policyOf } from "./config.ts";
import { consumeDownloads } from "./consumers.ts";
import { createEventMaker } from "./events.ts";
import { catalogTable, dependentsTable } from "./grpc.ts";
import type { PluginDocument } from "./model/plugin.ts";
import type { Parts } from "./parts.ts";
import { Projector } from "./projector.ts";
import { PublishOutcomes } from "./publish/outcomes.ts";
import { Directory } from "./search/directory.ts";
import { Feed } from "./search/feed.ts";
import { createTextIndex } from "./search/minisearch.ts";
import { PluginStore } from "./store/plugins.ts";
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
  const directory = new Directory(createTextIndex());
  const changes = new ChangeHub(ids.unique());
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
    directory,
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
    stampOf: (name) => directory.stampOf(name),
    revisionOf: (name) => directory.revisionOf(name),
    learned,
    loaded: () => directory.markLoaded(),
  });
  const sweeper = new Sweeper(parts);
  const tests: TestRunner = new TestRunner(parts);
  let downloads: Subscription | undefined;

  const checks = async (): Promise<Record<string, boolean>> => {
    const [database, onBus] = await Promise.all([probe(() => documents.ping()), probe(() => bus.ping())]);
    return { database: database && directory.loaded, bus: onBus };
  };

  return {
    name: "catalog",
    tables: journaled([catalogTable(parts, checks), dependentsTable(parts)], journal),
    async start() {
      downloads = await consumeDownloads(bus, parts);
      await feed.start();
      for (const relay of relays) relay.start();
      sweeper.start();
      tests.start();
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
        journal.close(),
        ...relays.map((relay) => relay.close()),
      ]);
    },
  };
}
