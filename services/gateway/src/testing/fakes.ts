import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AnalyticsServiceDefinition, InsightsServiceDefinition } from "@registry/contracts/analytics";
import { AuditServiceDefinition } from "@registry/contracts/audit";
import { AuthServiceDefinition } from "@registry/contracts/auth";
import {
  CatalogServiceDefinition,
  DependentsServiceDefinition,
  type WatchChangesResponse,
} from "@registry/contracts/catalog";
import { ChangeServiceDefinition } from "@registry/contracts/changes";
import { FederationServiceDefinition } from "@registry/contracts/federation";
import { OrganisationServiceDefinition } from "@registry/contracts/organisations";
import { StorageServiceDefinition } from "@registry/contracts/storage";
import { WebhookServiceDefinition } from "@registry/contracts/webhooks";
import { maySomewhere, RegistryError, rateLimited, unauthenticated } from "@registry/domain";
import {
  anyone,
  defineService,
  type Handler,
  Readiness,
  type ServiceDefinition,
  type ServiceTable,
  signInternalToken,
} from "@registry/kit";
import { createTestSurroundings, type TestSurroundings } from "@registry/kit/testing";
import type { GatewayConfig } from "../config.ts";
import { createGatewayService, type GatewayService } from "../gateway.ts";

type Handlers<D extends ServiceDefinition> = { [M in keyof D["methods"]]?: Handler<D["methods"][M]> };

const unimplemented = (): RegistryError => new RegistryError("unimplemented", "UNIMPLEMENTED", "Not part of this test");

async function* failingStream(): AsyncGenerator<never> {
  yield await Promise.reject<never>(unimplemented());
}

/** A neighbour that can do what it is given, and nothing else. */
export function fakeService<D extends ServiceDefinition>(definition: D, handlers: Handlers<D>): ServiceTable {
  const rows = Object.entries(definition.methods).map(([name, method]) => {
    const given = (handlers as Record<string, unknown>)[name];
    const missing = method.responseStream ? failingStream : () => Promise.reject(unimplemented());
    return [name, { allow: anyone, maxDurationMs: 0, handle: given ?? missing }];
  });
  return defineService(definition, Object.fromEntries(rows) as never);
}

/** A catalog's announcements, made by the test. */
export class FakeChanges {
  readonly #listeners = new Set<(message: WatchChangesResponse) => void>();
  instance = "replica-1";
  #sequence = 0;

  get listeners(): number {
    return this.#listeners.size;
  }

  announce(...names: string[]): void {
    this.#sequence += 1;
    this.send({ names, instance: this.instance, sequence: this.#sequence });
  }

  beat(): void {
    this.send({ names: [], instance: this.instance, sequence: this.#sequence });
  }

  send(message: WatchChangesResponse): void {
    for (const listener of this.#listeners) listener(message);
  }

  async *watch(signal: AbortSignal): AsyncGenerator<WatchChangesResponse> {
    const waiting: WatchChangesResponse[] = [{ names: [], instance: this.instance, sequence: this.#sequence }];
    let wake = (): void => undefined;
    const listener = (message: WatchChangesResponse): void => {
      waiting.push(message);
      wake();
    };
    const timer = setInterval(() => this.beat(), 500);
    this.#listeners.add(listener);
    signal.addEventListener("abort", () => wake());
    try {
      while (!signal.aborted) {
        for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) yield next;
        await new Promise<void>((resolve) => {
          wake = resolve;
          if (signal.aborted || waiting.length > 0) resolve();
        });
      }
    } finally {
      clearInterval(timer);
      this.#listeners.delete(listener);
    }
  }
}

export interface FakeNeighbours {
  readonly catalog?: Handlers<typeof CatalogServiceDefinition>;
  readonly storage?: Handlers<typeof StorageServiceDefinition>;
  readonly analytics?: Handlers<typeof AnalyticsServiceDefinition>;
  readonly changes?: Handlers<typeof ChangeServiceDefinition>;
  readonly insights?: Handlers<typeof InsightsServiceDefinition>;
  readonly dependents?: Handlers<typeof DependentsServiceDefinition>;
  readonly auth?: Handlers<typeof AuthServiceDefinition>;
  readonly federation?: Handlers<typeof FederationServiceDefinition>;
  readonly organisations?: Handlers<typeof OrganisationServiceDefinition>;
  readonly audit?: Handlers<typeof AuditServiceDefinition>;
  readonly webhooks?: Handlers<typeof WebhookServiceDefinition>;
}

export interface FakeStack {
  readonly around: TestSurroundings;
  readonly gateway: GatewayService;
  readonly readiness: Readiness;
  readonly url: string;
  readonly changes: FakeChanges;
  readonly folder: string;
  /** Credentials that hold no longer. */
  readonly withdrawn: Set<string>;
  /** The access log. */
  readonly lines: readonly string[];
  close(): Promise<void>;
}

export const testConfig: GatewayConfig = {
  HOST: "127.0.0.1",
  PORT: 0,
  REGISTRY_NAME: "Test Registry",
  PUBLIC_URL: undefined,
  SECURITY_CONTACT: undefined,
  CORS_ORIGINS: [],
  TRUSTED_HOSTS: ["*"],
  TRUSTED_PROXIES: [],
  TLS_CERT_FILE: undefined,
  TLS_KEY_FILE: undefined,
  TLS_RELOAD_SECONDS: 10,
  ACCESS_LOG: true,
  RATE_LIMIT_READS: 0,
  RATE_LIMIT_WRITES: 0,
  LIMIT_PACKAGE_BYTES: 1024 * 1024,
  LIMIT_CONNECTIONS: 100,
  LIMIT_CONNECTIONS_PER_ADDRESS: 0,
  LIMIT_STREAMS: 10,
  LIMIT_STREAMS_PER_ADDRESS: 5,
  LIMIT_CONCURRENT_UPLOADS: 8,
  LIMIT_CACHE_BYTES: 1024 * 1024,
  LIMIT_BLOB_CACHE_BYTES: 1024 * 1024,
  LIMIT_SPOOL_BYTES: 1024 * 1024,
};

/** The tokens that neighbours of these tests know, by user name: admin, publisher, reader; `overused` comes too often. */
function exchange(around: () => TestSurroundings, credential: string): string {
  const roles: Readonly<Record<string, string>> = { admin: "admin", publisher: "publisher", reader: "user" };
  if (credential === "overused") throw rateLimited(7);
  const role = roles[credential];
  if (role === undefined) throw unauthenticated();
  const exp = Math.floor(around().clock.now().getTime() / 1000) + 60;
  const id = Object.keys(roles).indexOf(credential) + 1;
  const user = { user_id: id, username: credential, role, grants: [], epoch: 0 };
  return signInternalToken(around().keys, { iss: "agenticraft-registry", exp, ...user });
}

/** A gateway among neighbours that do what the test says. */
export async function startFakeStack(
  neighbours: FakeNeighbours,
  config: Partial<GatewayConfig> = {},
  uiDirectory?: string,
): Promise<FakeStack> {
  const withdrawn = new Set<string>();
  const around: TestSurroundings = createTestSurroundings({
    auth: {
      exchange: async (credential) => exchange(() => around, withdrawn.has(credential) ? "" : credential),
      epoch: async () => ({ epoch: 0, raisedAgoMs: [] }),
    },
  });
  const changes = new FakeChanges();
  around.host(
    fakeService(CatalogServiceDefinition, {
      watchChanges: (_request, { signal }) => changes.watch(signal),
      canPublish: async (_request, { caller }) => ({ allowed: maySomewhere(caller, "publish") }),
      check: async () => ({ checks: { database: true } }),
      ...neighbours.catalog,
    }),
  );
  around.host(
    fakeService(StorageServiceDefinition, {
      check: async () => ({ checks: { storage: true } }),
      ...neighbours.storage,
    }),
  );
  around.host(fakeService(AnalyticsServiceDefinition, { recordUsage: async () => ({}), ...neighbours.analytics }));
  around.host(fakeService(ChangeServiceDefinition, neighbours.changes ?? {}));
  around.host(fakeService(InsightsServiceDefinition, neighbours.insights ?? {}));
  around.host(fakeService(DependentsServiceDefinition, neighbours.dependents ?? {}));
  around.host(fakeService(AuthServiceDefinition, neighbours.auth ?? {}));
  around.host(fakeService(FederationServiceDefinition, neighbours.federation ?? {}));
  around.host(fakeService(OrganisationServiceDefinition, neighbours.organisations ?? {}));
  around.host(fakeService(AuditServiceDefinition, neighbours.audit ?? {}));
  around.host(fakeService(WebhookServiceDefinition, neighbours.webhooks ?? {}));
  const folder = await mkdtemp(join(tmpdir(), "gateway-fakes-"));
  const lines: string[] = [];
  const accessLog = { output: { write: (line: string) => void lines.push(line) }, probes: false };
  const readiness = new Readiness(around.clock);
  const deps = { ...around, readiness, accessLog, spoolDirectory: join(folder, "spool") };
  const gateway = await createGatewayService(
    { ...testConfig, ...config },
    { ...deps, ...(uiDirectory === undefined ? {} : { uiDirectory }) },
  );
  readiness.follow(gateway);
  await gateway.start();
  readiness.begin();
  return {
    around,
    gateway,
    readiness,
    url: gateway.url,
    changes,
    folder,
    withdrawn,
    lines,
    async close() {
      await gateway.close();
      around.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
