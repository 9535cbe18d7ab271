import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Bus, createInProcessBus, type Event } from "@registry/bus";
import { type AuditEntry, AuditServiceDefinition } from "@registry/contracts/audit";
import { AuthServiceDefinition } from "@registry/contracts/auth";
import { CatalogServiceDefinition, DependentsServiceDefinition } from "@registry/contracts/catalog";
import { type DownloadTotal, encodeEvent } from "@registry/contracts/events";
import { OrganisationServiceDefinition } from "@registry/contracts/organisations";
import type { Upload } from "@registry/contracts/storage";
import { type Documents, openSqliteDocuments } from "@registry/documents";
import { type Caller, notFound, type OrgRole, type UserCaller, unavailable } from "@registry/domain";
import {
  anyone,
  type CallOptions,
  type Clients,
  defineService,
  type Service,
  type ServiceClient,
  type ServiceDefinition,
  type SettingsOf,
  services,
} from "@registry/kit";
import { createTestSurroundings, TestClock, userCaller } from "@registry/kit/testing";
import { createCatalogService } from "../catalog.ts";
import type { policySettings } from "../config.ts";
import { type Hook, withHook } from "./faults.ts";
import { StandInStorage } from "./storage.ts";

export const anonymous: Caller = { type: "anonymous" };
export const owner = userCaller("olga", "publisher", 11);
export const stranger = userCaller("stefan", "publisher", 12);
export const reader = userCaller("rita", "user", 13);
export const admin = userCaller("ada", "admin", 1);
/** Somebody who may publish nothing of their own. */
export const outsider = userCaller("uma", "user", 14);

/** A plain user with a place in the organisation `acme`. */
export function memberOf(username: string, id: number, role: OrgRole, teams: Record<string, OrgRole> = {}): UserCaller {
  const memberships = [{ org: "acme", role, teams }];
  return { type: "user", id, username, role: "user", grants: [], memberships };
}

export interface Package {
  readonly name: string;
  readonly version: string;
  /** Stands for the bytes: two packages with the same content have the same digest. */
  readonly content?: string;
  readonly record?: object;
  readonly more?: Partial<Upload>;
}

export interface Replica {
  readonly service: Service;
  readonly client: ServiceClient<typeof CatalogServiceDefinition>;
  readonly clients: Clients;
  readonly dependents: ServiceClient<typeof DependentsServiceDefinition>;
  as(caller: Caller): CallOptions;
  close(): Promise<void>;
}

type Policies = SettingsOf<typeof policySettings> & { readonly POLICY_POPULAR_DOWNLOADS: number };

/** One store, one bus, one storage, and catalogs on them. */
export class World {
  readonly clock = new TestClock();
  readonly storage = new StandInStorage();
  readonly bus: Bus;
  readonly documents: Documents;
  readonly events: Event[] = [];
  /** Rows of the audit log, each once. */
  readonly audit: AuditEntry[] = [];
  hook: Hook | undefined;
  readonly #folder: string;
  readonly #replicas: Replica[] = [];

  private constructor(folder: string, documents: Documents) {
    this.#folder = folder;
    this.documents = documents;
    this.bus = createInProcessBus({ log: createTestSurroundings().log });
  }

  static async open(): Promise<World> {
    const folder = await mkdtemp(join(tmpdir(), "catalog-"));
    const world = new World(folder, await openSqliteDocuments({ path: join(folder, "catalog.db") }));
    await world.bus.tap(["registry.catalog.>"], (event) => world.events.push(event));
    return world;
  }

  async replica(
    settings: {
      sweepSeconds?: number;
      limitReleases?: number;
      limitChannels?: number;
      publishesPerHour?: number;
      policy?: Partial<Policies>;
    } = {},
  ): Promise<Replica> {
    const around = createTestSurroundings({ service: "catalog" });
    const policy: Policies = {
      POLICY_CRITICAL: "refuse",
      POLICY_HIGH: "hold",
      POLICY_MEDIUM: "warn",
      POLICY_LOW: "warn",
      POLICY_INFO: "warn",
      POLICY_RULES: "",
      POLICY_POPULAR_DOWNLOADS: 50,
      ...settings.policy,
    };
    const config = {
      ...policy,
      CATALOG_SWEEP_SECONDS: settings.sweepSeconds ?? 3600,
      CATALOG_STAGED_SECONDS: 600,
      CATALOG_CACHE_SIZE: 1024 * 1024,
      RATE_LIMIT_PUBLISHES: settings.publishesPerHour ?? 0,
      LIMIT_RELEASES: settings.limitReleases ?? 200,
      LIMIT_CHANNELS: settings.limitChannels ?? 5,
    };
    const service = await createCatalogService(config, {
      ...around,
      clock: this.clock,
      documents: withHook(this.documents, () => this.hook),
      bus: this.bus,
    });
    for (const table of service.tables) around.host(table);
    around.host(this.storage.table());
    around.host(authTable());
    around.host(organisationTable());
    around.host(auditTable(this.audit));
    await service.start();
    const replica: Replica = {
      service,
      client: around.clients.of(CatalogServiceDefinition),
      clients: around.clients,
      dependents: around.clients.of(DependentsServiceDefinition),
      as: (caller) => around.as(caller),
      close: async () => {
        await service.close();
        around.close();
      },
    };
    this.#replicas.push(replica);
    return replica;
  }

  upload(caller: Caller, { name, version, content, record, more }: Package): string {
    const id = caller.type === "user" ? caller.id : 0;
    const recordJson = JSON.stringify({ title: name, description: `What ${name} does`, ...record });
    const manifestJson = JSON.stringify({ $schema: "x", name, version });
    const upload = { name, version, recordJson, manifestJson, readme: `# ${name}`, ...more };
    return this.storage.add(id, upload, content ?? `${name}@${version}`);
  }

  /** As analytics tells of downloads. */
  async count(totals: DownloadTotal[]): Promise<void> {
    const subject = "registry.analytics.downloads.counted";
    const envelope = { id: randomUUID(), subject, source: "/services/analytics", time: this.clock.now(), about: "" };
    await this.bus.publish({ ...envelope, data: encodeEvent(subject, { totals }) });
  }

  async close(): Promise<void> {
    this.hook = undefined;
    for (const replica of this.#replicas) await replica.close();
    await this.bus.close();
    await this.documents.close();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

const unused = { allow: anyone, handle: () => Promise.reject(unavailable("Everything else")) };

/** Rows for every method, none of which does anything. */
function rowsOf<D extends ServiceDefinition>(definition: D): { [M in keyof D["methods"]]: typeof unused } {
  const methods = Object.keys(definition.methods).map((method) => [method, unused]);
  return Object.fromEntries(methods) as { [M in keyof D["methods"]]: typeof unused };
}

/** The neighbour that knows users. */
function authTable() {
  const users = [owner, stranger, reader, admin, outsider].flatMap((user) => (user.type === "user" ? [user] : []));
  return defineService(AuthServiceDefinition, {
    ...rowsOf(AuthServiceDefinition),
    getUser: {
      allow: services("catalog"),
      handle: async ({ username }) => {
        const user = users.find((known) => known.username === username);
        if (user === undefined) throw notFound("USER_NOT_FOUND", "User not found");
        return { user: { id: user.id, username: user.username, role: user.role } };
      },
    },
  });
}

/** The neighbour that knows organisations: `acme` with the team `core`, and `gone`, which was deleted. */
function organisationTable() {
  return defineService(OrganisationServiceDefinition, {
    ...rowsOf(OrganisationServiceDefinition),
    getNamespace: {
      allow: services("catalog"),
      handle: async ({ name }) => {
        if (name === "acme" || name === "gone") return { type: "organisation", closed: name === "gone" };
        return name === "stefan" ? { type: "user", userId: 12 } : { type: "" };
      },
    },
    getTeam: {
      allow: services("catalog"),
      handle: async ({ organisation, name }) => {
        if (organisation !== "acme" || name !== "core") throw notFound("TEAM_NOT_FOUND", "Team not found");
        return { team: { name, role: "publisher" } };
      },
    },
  });
}

/** The neighbour that keeps the audit log. */
function auditTable(rows: AuditEntry[]) {
  return defineService(AuditServiceDefinition, {
    ...rowsOf(AuditServiceDefinition),
    recordAudit: {
      allow: services("catalog"),
      handle: async ({ entries }) => {
        rows.push(...entries.filter(({ id }) => !rows.some((row) => row.id === id)));
        return {};
      },
    },
    exportAudit: { allow: anyone, handle: async function* () {} },
  });
}
