import { join } from "node:path";
import { type Blobs, openBlobs } from "@registry/blobs";
import { type Bus, openBus } from "@registry/bus";
import { type Documents, openDocuments } from "@registry/documents";
import type { Readiness, Service, ServiceName, Surroundings } from "@registry/kit";
import { createAnalyticsService } from "@registry/service-analytics";
import { createAuthService } from "@registry/service-auth";
import { createCatalogService } from "@registry/service-catalog";
import { createGatewayService } from "@registry/service-gateway";
import { createStorageService } from "@registry/service-storage";
import { auditHeadFile } from "./audit-head-file.ts";
import type { Plan } from "./plan.ts";
import type { AllSettings } from "./settings.ts";

/** Registers what has to be closed, in the order of opening, and hands it back. */
export type Opened = <T>(resource: T, close: (resource: T) => Promise<void> | void) => T;

export interface Composition {
  readonly plan: Plan;
  readonly settings: AllSettings;
  readonly around: (name: ServiceName) => Surroundings;
  readonly readiness: Readiness;
  readonly opened: Opened;
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
  const { plan, settings, around, readiness, opened, started } = composition;
  const dataDir = settings.DATA_DIR;
  const hosts = (name: ServiceName): boolean => plan.hosted.includes(name);
  const documents = async (service: ServiceName): Promise<Documents> =>
    opened(
      await openDocuments({ mongodbUrl: settings.MONGODB_URL, dataDir, service, log: around(service).log }),
      (store) => store.close(),
    );
  const bus: Bus = opened(
    await openBus({
      natsUrl: settings.NATS_URL,
      name: `agenticraft-registry ${plan.hosted.join("+")}`,
      log: around("gateway").log,
      ready: started,
    }),
    (b) => b.close(),
  );

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
        blobs: opened(await openPackages(settings), (store) => store.close()),
        workDirectory: join(dataDir, "tmp"),
      })
    : undefined;
  const catalog = hosts("catalog")
    ? await createCatalogService(settings, { ...around("catalog"), documents: await documents("catalog"), bus })
    : undefined;
  const analytics = hosts("analytics")
    ? await createAnalyticsService(settings, { ...around("analytics"), documents: await documents("analytics"), bus })
    : undefined;
  const gateway = hosts("gateway")
    ? await createGatewayService(settings, {
        ...around("gateway"),
        ...{ readiness, bus },
        spoolDirectory: join(dataDir, "spool"),
      })
    : undefined;
  const services = [auth, storage, catalog, analytics, gateway].filter((service) => service !== undefined);
  return { services, gateway, auth };
}

export function adminTokenFile(settings: AllSettings): string {
  return settings.ADMIN_TOKEN_FILE ?? join(settings.DATA_DIR, "admin-token");
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
