import { join } from "node:path";
import { type Blobs, observeBlobs, openBlobs } from "@registry/blobs";
import { type Bus, observeBus, openBus } from "@registry/bus";
import { type Documents, observeDocuments, openDocuments } from "@registry/documents";
import {
  blobSpans,
  documentSpans,
  eventSpans,
  type Readiness,
  type Service,
  type ServiceName,
  type Surroundings,
  type Tracing,
} from "@registry/kit";
import { createAnalyticsService } from "@registry/service-analytics";
import { createAuthService } from "@registry/service-auth";
import { createCatalogService } from "@registry/service-catalog";
import { type AccessLogOptions, createGatewayService } from "@registry/service-gateway";
import { createStorageService } from "@registry/service-storage";
import { auditHeadFile } from "./audit-head-file.ts";
import type { Plan } from "./plan.ts";
import { type AllSettings, secretsIn } from "./settings.ts";
import { version } from "./version.ts";

/** Registers what has to be closed, in the order of opening, and hands it back. */
export type Opened = <T>(resource: T, close: (resource: T) => Promise<void> | void) => T;

export interface Composition {
  readonly plan: Plan;
  readonly settings: AllSettings;
  readonly around: (name: ServiceName) => Surroundings;
  readonly readiness: Readiness;
  readonly opened: Opened;
  readonly tracing: Tracing;
  /** Of the gateway's requests; absent where they are not logged. */
  readonly accessLog: AccessLogOptions | undefined;
  /** Resolves when every service of the process has started: the embedded bus delivers nothing before. */
  readonly started: Promise<void>;
}

export type Gateway = Awaited<ReturnType<typeof createGatewayService>>;
export type Auth = Awaited<ReturnType<typeof createAuthService>>;

export interface Composed {
  /** In the order in which they start: the gateway last. */
  readonly services: readonly Service[];
  readonly gateway: Gateway | undefined;
  readonly auth: Auth | undefined;
}

/** Opens the stores that the hosted services need, and hands each service its own. */
export async function composeServices(composition: Composition): Promise<Composed> {
  const { plan, settings, around, readiness, opened, started, tracing, accessLog } = composition;
  const dataDir = settings.DATA_DIR;
  const hosts = (name: ServiceName): boolean => plan.hosted.includes(name);
  const documents = async (service: ServiceName): Promise<Documents> => {
    const own = { mongodbUrl: settings.MONGODB_URL, dataDir, service, log: around(service).log };
    const store = opened(await openDocuments(own), (open) => open.close());
    const system = settings.MONGODB_URL === undefined ? "sqlite" : "mongodb";
    return tracing.on ? observeDocuments(store, documentSpans(tracing, { system, database: service })) : store;
  };
  // All services of the process share it; what it tells is told by the one at its front.
  const { log, clock } = around(hosts("gateway") ? "gateway" : (plan.hosted[0] ?? "gateway"));
  const plainBus = opened(
    await openBus({
      natsUrl: settings.NATS_URL,
      duplicateSeconds: settings.NATS_DUPLICATE_SECONDS,
      name: `agenticraft-registry ${plan.hosted.join("+")}`,
      log,
      clock,
      secrets: secretsIn(settings),
      ready: started,
    }),
    (b) => b.close(),
  );
  const bus: Bus = observeBus(plainBus, eventSpans(tracing, settings.NATS_URL === undefined ? "in-process" : "nats"));

  const auth = hosts("auth")
    ? await createAuthService(settings, {
        ...around("auth"),
        documents: await documents("auth"),
        adminTokenFile: adminTokenFile(settings),
        auditHeadFile: auditHeadFile(settings),
      })
    : undefined;
  const storage = hosts("storage")
    ? await createStorageService(settings, {
        ...around("storage"),
        documents: await documents("storage"),
        blobs: observed(
          opened(await openPackages(settings), (store) => store.close()),
          settings,
          tracing,
        ),
        workDirectory: join(dataDir, "tmp"),
      })
    : undefined;
  const catalog = hosts("catalog")
    ? await createCatalogService(settings, { ...around("catalog"), documents: await documents("catalog"), bus })
    : undefined;
  const analytics = hosts("analytics")
    ? await createAnalyticsService(settings, {
        ...around("analytics"),
        documents: await documents("analytics"),
        ...{ bus, version },
        alone: settings.MONGODB_URL === undefined,
      })
    : undefined;
  const gateway = hosts("gateway")
    ? await createGatewayService(settings, {
        ...around("gateway"),
        ...{ readiness, bus },
        spoolDirectory: join(dataDir, "spool"),
        version,
        accessLog,
      })
    : undefined;
  const services = [auth, storage, catalog, analytics, gateway].filter((service) => service !== undefined);
  return { services, gateway, auth };
}

export function adminTokenFile(settings: AllSettings): string {
  return settings.ADMIN_TOKEN_FILE ?? join(settings.DATA_DIR, "admin-token");
}

function observed(blobs: Blobs, settings: AllSettings, tracing: Tracing): Blobs {
  const store = settings.S3_ENDPOINT === undefined ? "files" : "s3";
  return tracing.on ? observeBlobs(blobs, blobSpans(tracing, store)) : blobs;
}

function openPackages(settings: AllSettings): Promise<Blobs> {
  const { S3_ENDPOINT: endpoint, S3_ACCESS_KEY: accessKey, S3_SECRET_KEY: secretKey } = settings;
  if (endpoint === undefined || accessKey === undefined || secretKey === undefined) {
    return openBlobs({ dataDir: settings.DATA_DIR });
  }
  const publicEndpoint = settings.S3_PUBLIC_ENDPOINT;
  const s3 = { endpoint, accessKey, secretKey, region: settings.S3_REGION, bucket: settings.S3_BUCKET, publicEndpoint };
  return openBlobs({ dataDir: settings.DATA_DIR, s3 });
}
