import type { AddressInfo } from "node:net";
import fastifyStatic from "@fastify/static";
import { AnalyticsServiceDefinition, InsightsServiceDefinition } from "@registry/contracts/analytics";
import { EventServiceDefinition } from "@registry/contracts/analytics-events";
import { AuditServiceDefinition } from "@registry/contracts/audit";
import { AuthServiceDefinition } from "@registry/contracts/auth";
import { CatalogServiceDefinition, DependentsServiceDefinition } from "@registry/contracts/catalog";
import { ChangeServiceDefinition } from "@registry/contracts/changes";
import { FederationServiceDefinition } from "@registry/contracts/federation";
import { MaintenanceServiceDefinition } from "@registry/contracts/maintenance";
import { OrganisationServiceDefinition } from "@registry/contracts/organisations";
import { StorageServiceDefinition } from "@registry/contracts/storage";
import { WebhookServiceDefinition } from "@registry/contracts/webhooks";
import { type Readiness, type Service, type Surroundings, WatchedTls } from "@registry/kit";
import type { FastifyInstance } from "fastify";
import { AddressHashes } from "./address-hashes.ts";
import { AnswerTimes } from "./answer-times.ts";
import { createApp } from "./app.ts";
import { Blobs } from "./blobs.ts";
import { TrustedCache } from "./cache.ts";
import { ChangeStreams } from "./change-streams.ts";
import { createChecks } from "./checks.ts";
import type { GatewayConfig } from "./config.ts";
import { dispatch } from "./dispatch.ts";
import { Downloads } from "./download.ts";
import { type AccessLogOptions, Exchanges } from "./exchanges.ts";
import { HeadWatch } from "./head-watch.ts";
import { Limiter } from "./limiter.ts";
import { Links } from "./links.ts";
import { countDownloadBytes, RequestTimes } from "./metrics.ts";
import type { Parts } from "./parts.ts";
import { type ReadyAnswer, ReadyAnswers } from "./ready.ts";
import { RecentChanges } from "./recent-changes.ts";
import { type Resolve, systemResolve } from "./replicas.ts";
import type { Resolved } from "./routes/downloads.ts";
import { allRoutes } from "./routes/index.ts";
import { Edge, pagePolicy } from "./security.ts";
import { UsageSpool } from "./spool.ts";
import { sendUses } from "./usage.ts";
import { ChangeWatch } from "./watch.ts";

export type { AccessLogOptions } from "./exchanges.ts";

export interface GatewayDeps extends Surroundings {
  /** This process's own; downloads and searches wait here until analytics has them. */
  readonly spoolDirectory: string;
  /** Where requests are written down; absent: nowhere. */
  readonly accessLog?: AccessLogOptions | undefined;
  /** Of the process: what `/ready` answers, and whether connections are to be given up after their answer. */
  readonly readiness: Readiness;
  /** Shown in `/ready`. */
  readonly bus?: { ping(): Promise<void> };
  /** The web interface's files, served under `/ui/`. */
  readonly uiDirectory?: string;
  /** Of the program. */
  readonly version?: string;
  /** How names of catalog replicas become addresses. */
  readonly resolve?: Resolve;
}

export interface GatewayService extends Service {
  /** Where it listens, once it has started. */
  readonly address: { readonly host: string; readonly port: number };
  /** `http://host:port`, or https where it has a certificate, once it has started. */
  readonly url: string;
}

/** A lost or late announcement is made good within this. */
const maxAgeMs = 4000;
/** Requests under way may take so long to end when the gateway closes. */
const graceMs = 25_000;

function serveUi(app: FastifyInstance, root: string): void {
  app.register(fastifyStatic, {
    root,
    prefix: "/ui/",
    redirect: true,
    setHeaders: (reply) => void reply.header("content-security-policy", pagePolicy),
  });
}

/** @throws TlsFileError */
function openTls(config: GatewayConfig, { clock, log }: GatewayDeps): WatchedTls | undefined {
  const { TLS_CERT_FILE: cert, TLS_KEY_FILE: key, TLS_RELOAD_SECONDS: everySeconds } = config;
  return cert === undefined || key === undefined
    ? undefined
    : new WatchedTls({ cert, key }, { clock, log, everySeconds });
}

/** Composes the gateway: HTTP outside, the other services inside. */
export async function createGatewayService(config: GatewayConfig, deps: GatewayDeps): Promise<GatewayService> {
  const { clock, ids, keys, log, metrics, identity, clients, bus, version = "0.1.0" } = deps;
  const trusted = (): boolean => watch.fresh();
  const cache = new TrustedCache<ReadyAnswer>({ clock, maxAgeMs, trusted, maxBytes: config.LIMIT_CACHE_BYTES });
  const resolutions = new TrustedCache<Resolved>({ clock, maxAgeMs, trusted, maxBytes: config.LIMIT_CACHE_BYTES / 8 });
  const recent = new RecentChanges(clock);
  const drop = (names: readonly string[]): void => {
    // A catalog in this process has no second replica that could be behind it.
    if (config.CATALOG_ADDR !== undefined) recent.add(names);
    cache.drop(names);
    resolutions.drop(names);
  };
  const flush = (): void => {
    cache.flush();
    resolutions.flush();
  };
  let closing: Promise<void> | undefined;
  const target = config.CATALOG_ADDR;
  const resolve = deps.resolve ?? systemResolve;
  const watch = new ChangeWatch({ clients, target, resolve, clock, log, onNames: drop, onGap: flush });

  const storage = clients.of(StorageServiceDefinition);
  const catalog = clients.of(CatalogServiceDefinition);
  const analytics = clients.of(AnalyticsServiceDefinition);
  const changes = clients.of(ChangeServiceDefinition);
  const times = new RequestTimes(metrics);
  const answerTimes = new AnswerTimes(times);
  const changeStreams = new ChangeStreams({
    ...{ changes, head: new HeadWatch(changes, log), clock, log, times: answerTimes },
    most: config.LIMIT_STREAMS,
    mostPerAddress: config.LIMIT_STREAMS_PER_ADDRESS,
  });
  const spool = new UsageSpool({
    ...{ clock, ids, log, metrics },
    addresses: new AddressHashes(keys, clock),
    directory: deps.spoolDirectory,
    maxBytes: config.LIMIT_SPOOL_BYTES,
    send: sendUses(analytics),
  });
  const edge = new Edge(config);
  const limits = {
    reads: new Limiter(clock, config.RATE_LIMIT_READS, () => metrics.rateLimited.inc({ limit: "reads" })),
    writes: new Limiter(clock, config.RATE_LIMIT_WRITES, () => metrics.rateLimited.inc({ limit: "writes" })),
  };
  const sent = countDownloadBytes(metrics);
  const exchanges = new Exchanges(deps.tracing, ids, config.ACCESS_LOG ? deps.accessLog : undefined);
  const ready = new ReadyAnswers({ cache, edge, reads: limits.reads, spool, times, sent, exchanges, ids });
  const blobs = new Blobs(storage, clock, config.LIMIT_BLOB_CACHE_BYTES);
  metrics.showCache("answers", () => cache.figures);
  metrics.showCache("resolutions", () => resolutions.figures);
  metrics.showCache("packages", () => blobs.figures);
  const checks = createChecks({ catalog, storage, bus, watch, clock });
  const parts: Parts = {
    ...{ config, version, clock, log, metrics, storage, catalog, analytics, cache, spool },
    ...{ changes, changeStreams },
    ready: () => deps.readiness.state(),
    insights: clients.of(InsightsServiceDefinition),
    dependents: clients.of(DependentsServiceDefinition),
    events: clients.of(EventServiceDefinition),
    maintenance: clients.of(MaintenanceServiceDefinition),
    webhooks: clients.of(WebhookServiceDefinition),
    auth: clients.of(AuthServiceDefinition),
    federation: clients.of(FederationServiceDefinition),
    organisations: clients.of(OrganisationServiceDefinition),
    audit: clients.of(AuditServiceDefinition),
    links: new Links(keys, clock),
    downloads: new Downloads(blobs, spool, log, sent, answerTimes),
    changed: (name) => drop([name]),
    changedNames: () => recent.names(),
    // Where it cannot be asked for now, what was withdrawn ends all the same as soon as what is known of it is too old.
    rightsChanged: () => identity.epoch.refresh().catch(() => undefined),
  };
  const uiPath = deps.uiDirectory === undefined ? "/docs" : "/ui/";
  const tls = openTls(config, deps);
  if (tls !== undefined) metrics.showCertificate("https", () => tls.material.expires);
  const { ending } = deps.readiness;
  const app = createApp({ config, clock, ids, log, edge, limits, ready, times, answerTimes, exchanges, tls, ending });
  const anonymousRead = config.ANONYMOUS_READ !== false;
  const behind = { anonymousRead, clock, identity, edge, exchanges, limits, cache, ready };
  dispatch(app, behind, allRoutes(parts, resolutions, uiPath));
  if (deps.uiDirectory !== undefined) serveUi(app, deps.uiDirectory);
  await app.ready();

  const address = (): { host: string; port: number } => {
    const bound = app.server.address() as AddressInfo | null;
    if (bound === null) throw new TypeError("the gateway does not listen yet");
    return { host: bound.address, port: bound.port };
  };
  return {
    name: "gateway",
    tables: [],
    get address() {
      return address();
    },
    get url() {
      const { host, port } = address();
      return `${tls === undefined ? "http" : "https"}://${host.includes(":") ? `[${host}]` : host}:${port}`;
    },
    async start() {
      await watch.start();
      spool.start();
      await app.listen({ host: config.HOST, port: config.PORT });
    },
    checks,
    close() {
      closing ??= (async () => {
        ready.close();
        changeStreams.close();
        // An answer under way may still promise to keep its connection open.
        const idle = setInterval(() => app.server.closeIdleConnections(), 100);
        const cut = setTimeout(() => app.server.closeAllConnections(), graceMs);
        await app.close();
        clearTimeout(cut);
        clearInterval(idle);
        tls?.close();
        watch.close();
        await spool.close();
      })();
      return closing;
    },
  };
}
