import { type ServiceName, type SettingProblem, serviceNames, settingsError } from "@registry/kit";
import type { AllSettings } from "./settings.ts";

/** What a process will run, once its settings were found to fit together. */
export interface Plan {
  readonly hosted: readonly ServiceName[];
  /** Full service name to gRPC target, for services that live elsewhere. */
  readonly addresses: ReadonlyMap<string, string>;
}

type Remote = Exclude<ServiceName, "gateway">;
/** Full names of the gRPC services that each service of the registry hosts. */
export const fullNames: Record<Remote, readonly string[]> = {
  auth: ["AuthService", "OrganisationService", "FederationService", "AuditService"].map(
    (name) => `registry.auth.v1.${name}`,
  ),
  catalog: ["CatalogService", "DependentsService", "MaintenanceService"].map((name) => `registry.catalog.v1.${name}`),
  storage: ["registry.storage.v1.StorageService"],
  analytics: ["AnalyticsService", "ChangeService", "EventService", "InsightsService", "WebhookService"].map(
    (name) => `registry.analytics.v1.${name}`,
  ),
};

/** Whom each service calls. */
const neighbours: Record<ServiceName, readonly Remote[]> = {
  gateway: ["auth", "catalog", "storage", "analytics"],
  auth: [],
  catalog: ["auth", "storage"],
  storage: ["auth", "catalog"],
  analytics: ["auth", "catalog"],
};

/**
 * @param names services named on the command line; none means all
 * @param bad what is wrong with single settings, to be told together with what does not fit
 * @throws kind `invalid_argument`, reason `INVALID_SETTINGS`, with everything that is wrong
 */
export function planProcess(
  names: readonly ServiceName[],
  settings: AllSettings,
  bad: readonly SettingProblem[] = [],
): Plan {
  const hosted = names.length === 0 ? serviceNames : serviceNames.filter((name) => names.includes(name));
  const problems: SettingProblem[] = [];
  const addresses = new Map<string, string>();
  const target: Record<Remote, string | undefined> = {
    auth: settings.AUTH_ADDR,
    catalog: settings.CATALOG_ADDR,
    storage: settings.STORAGE_ADDR,
    analytics: settings.ANALYTICS_ADDR,
  };
  for (const remote of new Set(hosted.flatMap((name) => neighbours[name]))) {
    if (hosted.includes(remote)) continue;
    const address = target[remote];
    if (address !== undefined) for (const fullName of fullNames[remote]) addresses.set(fullName, address);
    else
      problems.push({
        pointer: `${remote.toUpperCase()}_ADDR`,
        reason: `needed, since ${remote} is not in this process`,
      });
  }
  if (hosted.length < serviceNames.length) problems.push(...sharedStoresMissing(settings));
  problems.push(...halfConfigured(settings));
  const known = new Set(bad.map(({ pointer }) => pointer));
  const all = [...bad, ...problems.filter(({ pointer }) => !known.has(pointer))];
  if (all.length > 0) throw settingsError(all);
  return { hosted, addresses };
}

function sharedStoresMissing(settings: AllSettings): SettingProblem[] {
  const needed = ["MONGODB_URL", "NATS_URL", "S3_ENDPOINT", "SECRET_KEY"] as const;
  return needed
    .filter((name) => settings[name] === undefined)
    .map((pointer) => ({
      pointer,
      reason: "needed by a process that hosts fewer than all five services, since they share it",
    }));
}

/** Settings of which one is nothing without the others. */
const together = [
  { first: "S3_ENDPOINT", others: ["S3_ACCESS_KEY", "S3_SECRET_KEY"] },
  { first: "OIDC_ISSUER", others: ["OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET"] },
  { first: "OIDC_CLIENT_ID", others: ["OIDC_ISSUER", "OIDC_CLIENT_SECRET"] },
  { first: "OIDC_CLIENT_SECRET", others: ["OIDC_ISSUER", "OIDC_CLIENT_ID"] },
  { first: "OIDC_ADMIN_GROUP", others: ["OIDC_ISSUER"] },
] as const;

function halfConfigured(settings: AllSettings): SettingProblem[] {
  const missing = new Map<string, string>();
  for (const { first, others } of together) {
    if (settings[first] === undefined) continue;
    for (const name of others) if (settings[name] === undefined) missing.set(name, missing.get(name) ?? first);
  }
  return [...missing].map(([pointer, first]) => ({ pointer, reason: `needed beside ${first}` }));
}
