import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Bus, createInProcessBus, type Event } from "@registry/bus";
import {
  AnalyticsServiceDefinition,
  type Download,
  InsightsServiceDefinition,
  type Search,
} from "@registry/contracts/analytics";
import { CatalogServiceDefinition, type FilterVisibleRequest, type Sight } from "@registry/contracts/catalog";
import { ChangeServiceDefinition } from "@registry/contracts/changes";
import { type EventMessage, encodeEvent, type Subject } from "@registry/contracts/events";
import { type Documents, openSqliteDocuments } from "@registry/documents";
import { type Caller, pluginNotFound } from "@registry/domain";
import { type CallContext, type CallOptions, readers, type Service, type ServiceClient } from "@registry/kit";
import { createTestSurroundings, type TestSurroundings, userCaller } from "@registry/kit/testing";
import { type AnalyticsDeps, createAnalyticsService } from "../analytics.ts";
import { analyticsSettings } from "../config.ts";
import type { AnalyticsConfig } from "../parts.ts";

export interface World {
  readonly documents: Documents;
  readonly bus: Bus;
  publish<S extends Subject>(subject: S, message: EventMessage<S>, id?: string): Promise<void>;
  close(): Promise<void>;
}

/** A store and a bus that replicas share. */
export async function openWorld(): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), "analytics-"));
  const documents = await openSqliteDocuments({ path: join(folder, "analytics.db") });
  const { log, ids, close } = createTestSurroundings();
  const bus = createInProcessBus({ log });
  return {
    documents,
    bus,
    publish: (subject, message, id = ids.unique()) => {
      const data = encodeEvent(subject, message);
      const event: Event = { id, subject, source: "/services/catalog", time: new Date(), about: "", data };
      return bus.publish(event);
    },
    async close() {
      await bus.close();
      await documents.close();
      close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export interface Replica {
  readonly service: Service;
  readonly surroundings: TestSurroundings;
  readonly analytics: ServiceClient<typeof AnalyticsServiceDefinition>;
  readonly changes: ServiceClient<typeof ChangeServiceDefinition>;
  readonly insights: ServiceClient<typeof InsightsServiceDefinition>;
  close(): Promise<void>;
}

/** What the catalog shows to everybody: a plugin's versions. */
export type CatalogView = { readonly [plugin: string]: readonly string[] };

/** What the catalog says of a plugin, or of a release of it, to a caller; by default that everything may be seen. */
export type Shows = (caller: Caller, name: string, version: string) => Sight | boolean;

const usualConfig = Object.fromEntries(
  Object.entries(analyticsSettings).map(([name, { fallback }]) => [name, fallback]),
) as unknown as AnalyticsConfig;

export interface ReplicaOptions {
  readonly documents?: Documents;
  readonly bus?: Bus;
  readonly catalog?: CatalogView;
  readonly config?: Partial<AnalyticsConfig>;
  readonly shows?: Shows;
  readonly receivers?: AnalyticsDeps["receivers"];
}

export async function composeReplica(world: World, options: ReplicaOptions = {}): Promise<Replica> {
  const surroundings = createTestSurroundings();
  const service = await createAnalyticsService(
    { ...usualConfig, ...options.config },
    {
      ...surroundings,
      documents: options.documents ?? world.documents,
      bus: options.bus ?? world.bus,
      ...(options.receivers === undefined ? {} : { receivers: options.receivers }),
      version: "1.2.3",
    },
  );
  for (const table of service.tables) surroundings.host(table);
  const getPlugin = async (request: unknown, _context: CallContext): Promise<unknown> => {
    const { name } = request as { name: string };
    const versions = options.catalog?.[name];
    if (versions === undefined) throw pluginNotFound();
    return { details: { plugin: { name }, versions } };
  };
  const filterVisible = async (request: unknown, { caller }: CallContext): Promise<unknown> => {
    const sights = (request as FilterVisibleRequest).items.map(({ name, version }) => {
      const sight = options.shows?.(caller, name, version) ?? true;
      return typeof sight === "boolean" ? { plugin: sight, release: sight } : sight;
    });
    return { sights };
  };
  surroundings.host({
    definition: CatalogServiceDefinition,
    rows: {
      getPlugin: { allow: readers, handle: getPlugin },
      filterVisible: { allow: readers, handle: filterVisible },
    },
  });
  return {
    service,
    surroundings,
    analytics: surroundings.clients.of(AnalyticsServiceDefinition),
    changes: surroundings.clients.of(ChangeServiceDefinition),
    insights: surroundings.clients.of(InsightsServiceDefinition),
    async close() {
      await service.close();
      surroundings.close();
    },
  };
}

export async function startReplica(world: World, options: ReplicaOptions = {}): Promise<Replica> {
  const replica = await composeReplica(world, options);
  await replica.service.start();
  return replica;
}

export const gateway = { as: "service" } as const;

export function as(replica: Replica, caller: Caller): CallOptions {
  return replica.surroundings.as(caller);
}

export const administrator = userCaller("root", "admin", 1);

export function download(id: string, plugin: string, version = "1.0.0", more: Partial<Download> = {}): Download {
  return { id, plugin, version, time: undefined, userId: 0, client: "rest", addressHash: "", ...more };
}

export function search(id: string, query: string, more: Partial<Search> = {}): Search {
  return { id, query, resultsCount: 1, time: undefined, userId: 0, addressHash: "", ...more };
}
