import {
  logLevels,
  type NameLists,
  otlpSecrets,
  ownNames,
  parseNameLists,
  passwordsIn,
  rpcGroups,
  type Setting,
  type SettingGroup,
  setting,
  telemetrySettings,
} from "@registry/kit";
import { analyticsSettings } from "@registry/service-analytics/config";
import { authSettings } from "@registry/service-auth/config";
import { catalogSettings } from "@registry/service-catalog/config";
import { gatewaySettings } from "@registry/service-gateway/config";
import { storageSettings } from "@registry/service-storage/config";

const { text, secret, integer, flag, oneOf, url, parsed } = setting;

const path = (description: string) =>
  text<string | undefined>({ description, fallback: undefined, shownDefault: "none" });
const nameLists = (description: string, keys: readonly string[], shownDefault: string) =>
  parsed<NameLists>({ description, fallback: new Map(), shownDefault, parse: (value) => parseNameLists(value, keys) });

const hereIfAbsent = (service: string) =>
  text<string | undefined>({
    description: `Where ${service} is when this process does not host it, e.g. dns:///${service}:9090`,
    fallback: undefined,
    shownDefault: "this process",
    pattern: /^[\w.:/,[\]-]{3,512}$/,
    expects: "host:port, dns:///name:port or ipv4:a:port,b:port",
  });

/** What belongs to the process as a whole. */
export const processSettings = {
  HOST: text({ description: "Address that the gateway's HTTP listens on", fallback: "127.0.0.1" }),
  PORT: integer({ description: "Port of the gateway's HTTP; 0 takes a free one", fallback: 8080, min: 0, max: 65535 }),
  GRPC_HOST: text({ description: "Address that gRPC listens on", fallback: "127.0.0.1" }),
  GRPC_PORT: integer({
    description: "One gRPC listener for all services of this process; 0 takes a free one",
    fallback: 9090,
    min: 0,
    max: 65535,
  }),
  GRPC_TLS_CERT_FILE: path(
    "Certificate of this process (PEM): gRPC is then encrypted, and every client shows one, too",
  ),
  GRPC_TLS_KEY_FILE: path("Private key of that certificate (PEM)"),
  GRPC_TLS_CA_FILE: path("Authorities whose certificates other processes and clients show (PEM)"),
  GRPC_TLS_SERVER_NAME: text<string | undefined>({
    description: "Name that the certificates of the other services carry",
    fallback: undefined,
    shownDefault: "the host that is dialled",
    pattern: /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/i,
    expects: "a DNS name or an IPv4 address",
  }),
  GRPC_TLS_RELOAD_SECONDS: integer({
    description: "How often the certificate files are looked at; new ones count for new connections",
    fallback: 10,
    min: 1,
    max: 86_400,
  }),
  GRPC_CLIENTS: nameLists(
    "Certificate names that may call a group of RPCs, e.g. internal=gateway|catalog; storage=mirror; * is any, as where none are given",
    rpcGroups,
    `internal=${ownNames.join("|")}`,
  ),
  GRPC_CLIENT_NAMES: nameLists(
    "Further certificate names of a service, e.g. gateway=edge.example.com; catalog=catalog.prod|catalog-2.prod",
    ownNames,
    "",
  ),
  AUTH_ADDR: hereIfAbsent("auth"),
  CATALOG_ADDR: hereIfAbsent("catalog"),
  STORAGE_ADDR: hereIfAbsent("storage"),
  ANALYTICS_ADDR: hereIfAbsent("analytics"),
  METRICS_PORT: integer({
    description: "Metrics and health of processes without the gateway; 0 takes a free one",
    fallback: 9464,
    min: 0,
    max: 65535,
  }),
  DATA_DIR: text({ description: "Embedded stores, generated secrets, spools, the admin token", fallback: "./data" }),
  MONGODB_URL: url<string | undefined>({
    description: "MongoDB for metadata; its path is the prefix of the database names",
    fallback: undefined,
    shownDefault: "embedded",
    protocols: ["mongodb:", "mongodb+srv:"],
  }),
  NATS_URL: url<string | undefined>({
    description: "NATS with JetStream for events",
    fallback: undefined,
    shownDefault: "embedded",
    protocols: ["nats:", "tls:"],
  }),
  NATS_DUPLICATE_SECONDS: integer({
    description:
      "How long NATS remembers the ids of events and drops one that comes again, 1 to 86400; it may be widened later",
    fallback: 120,
    min: 1,
    max: 86_400,
  }),
  S3_ENDPOINT: url<string | undefined>({
    description: "MinIO or another S3 server for packages",
    fallback: undefined,
    shownDefault: "embedded",
    protocols: ["http:", "https:"],
  }),
  S3_REGION: text({ description: "Region of the bucket", fallback: "us-east-1" }),
  S3_BUCKET: text({
    description: "Bucket, created if absent",
    fallback: "agenticraft-plugins",
    pattern: /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/,
    expects: "3 to 63 of a-z, 0-9, dot and hyphen",
  }),
  S3_ACCESS_KEY: secret({ description: "Access key", fallback: undefined }),
  S3_SECRET_KEY: secret({ description: "Secret key", fallback: undefined }),
  S3_PUBLIC_ENDPOINT: url<string | undefined>({
    description: "Address under which clients outside reach the S3 server, for presigned URLs",
    fallback: undefined,
    shownDefault: "none: packages leave through the gateway",
    protocols: ["http:", "https:"],
  }),
  SECRET_KEY: secret({
    description: "Signs tokens; the same for every process of one registry, at least 32 characters",
    fallback: undefined,
    minLength: 32,
  }),
  ADMIN_TOKEN_FILE: text<string | undefined>({
    description: "The first administrator's token: read if there, else written",
    fallback: undefined,
    shownDefault: "DATA_DIR/admin-token",
  }),
  AUDIT_HEAD_FILE: text<string | undefined>({
    description: "Signed ends of the audit log, by which a changed log is found; best on another disk than the store",
    fallback: undefined,
    shownDefault: "DATA_DIR/audit-heads.jsonl",
  }),
  ANONYMOUS_READ: flag({ description: "false: every read needs a credential", fallback: true }),
  ...telemetrySettings,
  SHUTDOWN_DELAY_SECONDS: parsed<number | undefined>({
    description:
      "How long a process that is told to end (SIGTERM) goes on serving while it says that it is not ready, so that balancers look elsewhere first; Ctrl-C and a second signal do not wait",
    fallback: undefined,
    shownDefault: "3; 0 with embedded stores, where nobody else could serve",
    parse: (value) => integer({ description: "", fallback: 0, min: 0, max: 300 }).parse(value),
  }),
  LOG_LEVEL: oneOf(logLevels, { description: `One of ${logLevels.join(", ")}`, fallback: "info" }),
} satisfies SettingGroup;

/** Every setting of the program, process-wide ones first. */
export const allSettings = {
  ...processSettings,
  ...gatewaySettings,
  ...authSettings,
  ...catalogSettings,
  ...storageSettings,
  ...analyticsSettings,
} satisfies SettingGroup;

export type AllSettings = import("@registry/kit").SettingsOf<typeof allSettings>;

/** Every secret that the settings hold, to be kept out of logs. */
export function secretsIn(settings: AllSettings): string[] {
  const values = Object.entries(allSettings).flatMap(([name, { confidential, secret }]: [string, Setting<unknown>]) => {
    const value: unknown = settings[name as keyof AllSettings];
    if (!confidential || typeof value !== "string") return [];
    return secret ? [value] : passwordsIn(value);
  });
  return [...new Set([...values, ...otlpSecrets(settings)])];
}
