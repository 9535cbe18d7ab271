import { mkdirSync } from "node:fs";
import { AuthServiceDefinition } from "@registry/contracts/auth";
import {
  ClientRules,
  Clients,
  createLogger,
  createMetrics,
  deriveKeys,
  exportReadiness,
  GatheredLines,
  type GrpcTls,
  Identity,
  type Logger,
  type LogOutput,
  openLogOutput,
  openTracing,
  Pipeline,
  Readiness,
  type ReadyState,
  type ServiceName,
  type Surroundings,
  serviceNames,
  startGrpcServer,
  startOpsHttp,
  systemClock,
  systemIds,
  type Tracing,
  tracedCalls,
  WatchedTls,
} from "@registry/kit";
import type { AccessLogOptions } from "@registry/service-gateway";
import { composeServices, type Opened } from "./compose.ts";
import type { Plan } from "./plan.ts";
import { loadSecretKey } from "./secret-key.ts";
import { type AllSettings, secretsIn } from "./settings.ts";
import { drain, drainDelayMs, graceMs } from "./shutdown.ts";
import { grpcTlsFiles } from "./tls.ts";
import { version } from "./version.ts";

/** A started process of the registry. */
export interface RegistryProcess {
  /** `http://host:port` of the gateway, where it is hosted here. */
  readonly httpUrl: string | undefined;
  /** `host:port` of gRPC. */
  readonly grpcAddress: string;
  /** `http://host:port` of health and metrics, in processes without the gateway. */
  readonly opsUrl: string | undefined;
  /** Where this start wrote the new administrator's token; undefined where there was one already. */
  readonly newAdminTokenFile: string | undefined;
  /**
   * Not ready at once, though it serves for a moment more; then ends work under way and frees everything, last opened
   * first.
   * @param now ends that moment; without it there is none
   */
  close(now?: AbortSignal): Promise<void>;
}

/** Builds everything in the order in which data flows, and takes it down in the opposite one. */
export async function startRegistryProcess(plan: Plan, settings: AllSettings): Promise<RegistryProcess> {
  mkdirSync(settings.DATA_DIR, { recursive: true, mode: 0o700 });
  const secrets = secretsIn(settings);
  const output = openLogOutput();
  const log = createLogger(settings.LOG_LEVEL, {}, secrets, output);
  const { opened, closeAll } = closables(log);
  const started = Promise.withResolvers<void>();
  try {
    const tls = openTls(settings, log, opened);
    const tracing = opened(await openTracing(settings, { log, secrets, ...nameOf(plan) }), (open) => open.close());
    const frame = buildFrame({ plan, settings, log, tls, opened, tracing });
    const { surroundings, calls, clients, identity, metrics } = frame;
    const readiness = new Readiness(systemClock);
    const ready = (): Promise<ReadyState> => readiness.state();
    exportReadiness(metrics, ready);
    // It lives, though it is not ready, for as long as stores and services take to start.
    const opsAt = { host: settings.GRPC_HOST, port: settings.METRICS_PORT };
    const ops = plan.hosted.includes("gateway")
      ? undefined
      : opened(await startOpsHttp(opsAt, metrics, ready), (server) => server.close());
    const accessLog = openAccessLog(settings.LOG_LEVEL, output, opened);
    const shared = { plan, settings, opened, tracing, accessLog, readiness };
    const composed = await composeServices({ ...shared, around: surroundings, started: started.promise });
    const tables = composed.services.flatMap((service) => service.tables);
    for (const table of tables) clients.host(table);
    for (const service of composed.services) readiness.follow(service);
    for (const service of composed.services) {
      opened(service, (started) => started.close());
      await service.start();
    }
    started.resolve();
    identity.epoch.start();
    opened(identity.epoch, (epoch) => epoch.close());
    // Last, since whoever calls the service by round robin takes a replica that listens for one that serves.
    const grpcAt = { host: settings.GRPC_HOST, port: settings.GRPC_PORT };
    const serves = (name: string): Promise<boolean | undefined> => readiness.serves(name);
    const grpc = opened(await startGrpcServer(tables, calls, grpcAt, { tls, serves }), (server) =>
      server.close(graceMs),
    );
    readiness.begin();
    const draining = { readiness, grpc, gateway: composed.gateway, delayMs: drainDelayMs(settings) };
    return {
      httpUrl: composed.gateway?.url,
      grpcAddress: `${settings.GRPC_HOST}:${grpc.port}`,
      opsUrl: ops === undefined ? undefined : `http://${settings.GRPC_HOST}:${ops.port}`,
      newAdminTokenFile: composed.auth?.adminTokenFile,
      close: async (now = AbortSignal.abort()) => {
        await drain(draining, now);
        await closeAll();
      },
    };
  } catch (error) {
    started.resolve();
    await closeAll();
    throw error;
  }
}

function nameOf(plan: Plan) {
  const alone = plan.hosted.length < serviceNames.length;
  const serviceName = ["agenticraft-registry", ...(alone ? plan.hosted : [])].join("-");
  return { serviceName, version: "0.1.0", instance: systemIds.unique() };
}

/** Lines of requests are many, so they are written together, a moment later. */
function openAccessLog(
  level: AllSettings["LOG_LEVEL"],
  output: LogOutput,
  opened: Opened,
): AccessLogOptions | undefined {
  if (!["trace", "debug", "info"].includes(level)) return undefined;
  const lines = opened(new GatheredLines(output), (open) => open.flush());
  return { output: lines, probes: level !== "info" };
}

function openTls(settings: AllSettings, log: Logger, opened: Opened): GrpcTls | undefined {
  const files = grpcTlsFiles(settings);
  if (files === undefined) {
    const host = settings.GRPC_HOST;
    if (!/^(?:127\.|::1$|localhost$)/.test(host)) {
      log.warn(
        { host },
        "gRPC listens on the network without TLS: whoever reaches it can listen in; see GRPC_TLS_CERT_FILE",
      );
    }
    return undefined;
  }
  const watch = { clock: systemClock, log, everySeconds: settings.GRPC_TLS_RELOAD_SECONDS };
  const watched = opened(new WatchedTls(files, watch), (open) => open.close());
  return { files: watched, serverName: settings.GRPC_TLS_SERVER_NAME };
}

interface FrameParts {
  readonly plan: Plan;
  readonly settings: AllSettings;
  readonly log: Logger;
  readonly tls: GrpcTls | undefined;
  readonly opened: Opened;
  readonly tracing: Tracing;
}

/** What every service of the process shares. */
function buildFrame({ plan, settings, log, tls, opened, tracing }: FrameParts) {
  const keys = deriveKeys(settings.SECRET_KEY ?? loadSecretKey(settings.DATA_DIR, () => systemIds.secret(48)));
  const metrics = createMetrics(version);
  const identity: Identity = new Identity(keys, systemClock, () => {
    const auth = clients.of(AuthServiceDefinition);
    return {
      exchange: async (credential, address) => {
        const request = { credential, address: address ?? "" };
        return (await auth.exchangeCredential(request, { as: "service", timeoutMs: 4000 })).internalToken;
      },
      epoch: () => auth.getRevocationEpoch({}, { as: "service", timeoutMs: 2000 }),
    };
  });
  if (tls !== undefined) metrics.showCertificate("grpc", () => tls.files.material.expires);
  metrics.showCache("identities", () => identity.figures);
  const anonymousRead = settings.ANONYMOUS_READ;
  const rules = new ClientRules({ groups: settings.GRPC_CLIENTS, aliases: settings.GRPC_CLIENT_NAMES });
  const pipeline = new Pipeline({
    ...{ identity, clients: rules, anonymousRead, log, metrics, newId: systemIds.unique },
    logsRequests: settings.ACCESS_LOG,
  });
  // What the process asks for itself it asks as one of its services, since its certificate has no other names.
  const speaker = plan.hosted[0] ?? "gateway";
  const calls = tracedCalls(pipeline, tracing);
  const reached = { identity, pipeline: calls, tracing, metrics, addresses: plan.addresses, tls };
  const clients = opened(new Clients(reached, speaker), (all) => all.close());
  const surroundings = (name: ServiceName): Surroundings => ({
    clock: systemClock,
    ids: systemIds,
    log: log.child({ service: name }),
    metrics,
    tracing,
    keys,
    identity,
    clients: clients.forService(name),
  });
  return { surroundings, calls, clients, identity, metrics };
}

function closables(log: Logger): { opened: Opened; closeAll: () => Promise<void> } {
  const closers: (() => Promise<void>)[] = [];
  return {
    opened: (resource, close) => {
      closers.unshift(async () => close(resource));
      return resource;
    },
    closeAll: async () => {
      for (const close of closers.splice(0)) {
        await close().catch((err: unknown) => log.error({ err }, "closing failed"));
      }
    },
  };
}
