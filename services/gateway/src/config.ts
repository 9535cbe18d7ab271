import { type SettingsOf, setting } from "@registry/kit";
import { isNetwork } from "@registry/limits";

function isOrigin(text: string): boolean {
  if (text === "*") return true;
  const url = URL.canParse(text) && !text.includes("*") ? new URL(text) : undefined;
  return url !== undefined && /^https?:$/.test(url.protocol) && url.origin === text;
}

/** Without a port: the registry answers on any. */
function isHostPattern(text: string): boolean {
  return /^(?:\*|(?:\*\.)?[a-z0-9_](?:[a-z0-9._-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])$/i.test(text);
}

/** Settings of the gateway. Where it listens and where the other services are is said by the process that hosts it. */
export const gatewaySettings = {
  REGISTRY_NAME: setting.text({
    description: "name that the registry shows",
    fallback: "AgentiCraft Registry",
    pattern: /^[^\r\n]{1,100}$/,
    expects: "1 to 100 characters on one line",
  }),
  PUBLIC_URL: setting.url<string | undefined>({
    description: "URL under which clients reach the registry; links in answers start with it",
    fallback: undefined,
    shownDefault: "taken from each request",
    protocols: ["http:", "https:"],
  }),
  SECURITY_CONTACT: setting.text<string | undefined>({
    description: "where to report a security problem of this registry: mailto:… or https://…",
    fallback: undefined,
    shownDefault: "a page of the registry",
    pattern: /^(?:mailto:|https:\/\/)[\x21-\x7e]{1,250}$/,
    expects: "mailto:… or https://…",
  }),
  CORS_ORIGINS: setting.list({
    description: "origins of web pages that may call the API, comma-separated; * for all (then without credentials)",
    fallback: [],
    shownDefault: "none",
    item: isOrigin,
    expects: "an origin such as https://app.example.com, without a path or a slash at its end, or *",
  }),
  TRUSTED_HOSTS: setting.list({
    description: "names under which the registry answers, comma-separated; *.example.com matches subdomains",
    fallback: ["*"],
    shownDefault: "*",
    item: isHostPattern,
    expects: "a host name without a port, *.example.com, an address ([::1] for IPv6), or *",
  }),
  TRUSTED_PROXIES: setting.list({
    description: "addresses or networks (10.0.0.0/8) of proxies whose X-Forwarded-* headers are believed",
    fallback: [],
    shownDefault: "none",
    item: isNetwork,
    expects: "an address or a network such as 10.0.0.0/8",
  }),
  TLS_CERT_FILE: setting.text<string | undefined>({
    description:
      "certificate of the gateway (PEM, with those between it and its authority): it then speaks HTTPS itself",
    fallback: undefined,
    shownDefault: "none: HTTP",
  }),
  TLS_KEY_FILE: setting.text<string | undefined>({
    description: "private key of that certificate (PEM)",
    fallback: undefined,
    shownDefault: "none",
  }),
  TLS_RELOAD_SECONDS: setting.integer({
    description: "how often those two files are looked at; new ones count for new connections",
    fallback: 10,
    min: 1,
    max: 86_400,
  }),
  ACCESS_LOG: setting.flag({
    description: "false: no log line for each request, of gRPC neither",
    fallback: true,
  }),
  RATE_LIMIT_READS: setting.integer({
    description: "reads per minute and address; 0 for no limit",
    fallback: 0,
    min: 0,
    max: 10_000_000,
  }),
  RATE_LIMIT_WRITES: setting.integer({
    description: "changes per minute and user; 0 for no limit",
    fallback: 6000,
    min: 0,
    max: 10_000_000,
  }),
  LIMIT_PACKAGE_BYTES: setting.bytes({
    description: "largest package that is taken, counted on the package's own bytes",
    fallback: 50 * 1024 * 1024,
    shownDefault: "50 MiB",
  }),
  LIMIT_CONNECTIONS: setting.integer({
    description: "HTTP connections at once",
    fallback: 10_000,
    min: 1,
    max: 1_000_000,
  }),
  LIMIT_CONNECTIONS_PER_ADDRESS: setting.integer({
    description: "HTTP connections at once from one address (IPv6: /64), trusted proxies aside; 0 for no limit",
    fallback: 0,
    min: 0,
    max: 1_000_000,
  }),
  LIMIT_STREAMS: setting.integer({
    description: "readers of the change feed as server-sent events at once",
    fallback: 1000,
    min: 0,
    max: 100_000,
  }),
  LIMIT_STREAMS_PER_ADDRESS: setting.integer({
    description: "the same from one address (IPv6: /64)",
    fallback: 20,
    min: 0,
    max: 100_000,
  }),
  LIMIT_CONCURRENT_UPLOADS: setting.integer({
    description: "packages received at once; more wait for their turn, and far more are asked to come again",
    fallback: 64,
    min: 1,
    max: 10_000,
  }),
  LIMIT_CACHE_BYTES: setting.bytes({
    description: "memory for answers kept ready",
    fallback: 64 * 1024 * 1024,
    shownDefault: "64 MiB",
  }),
  LIMIT_BLOB_CACHE_BYTES: setting.bytes({
    description: "memory for the bytes of small packages",
    fallback: 64 * 1024 * 1024,
    shownDefault: "64 MiB",
  }),
  LIMIT_SPOOL_BYTES: setting.bytes({
    description: "disk space for counted downloads and searches that analytics has not taken yet",
    fallback: 64 * 1024 * 1024,
    shownDefault: "64 MiB",
  }),
};

export type GatewayConfig = SettingsOf<typeof gatewaySettings> & {
  /** Address to listen on. */
  readonly HOST: string;
  /** 0 for any free one. */
  readonly PORT: number;
  /** False: every read needs a credential, and nobody else is told any name. */
  readonly ANONYMOUS_READ?: boolean | undefined;
  /** gRPC target of the catalog, to hear of changes from each of its replicas; absent where it lives in this process. */
  readonly CATALOG_ADDR?: string | undefined;
};
