import http from "node:http";
import https from "node:https";
import { invalid } from "@registry/domain";
import { Client } from "minio";
import { translated } from "./errors.ts";
import { type Transfer, transport } from "./transport.ts";

export interface S3BlobsOptions {
  /** `http://host:port` or `https://host:port`. */
  readonly endpoint: string;
  /** Default `us-east-1`. */
  readonly region?: string;
  /** Made at the first call where it is absent. */
  readonly bucket: string;
  readonly accessKey: string;
  readonly secretKey: string;
  /** The address that clients outside reach; without it there are no presigned URLs. */
  readonly publicEndpoint?: string;
  /** Time of a small call, and silence that a transfer survives. Default 10000. */
  readonly timeoutMs?: number;
}

/** The one place that knows how clients are made; each call gets a client of its own, so that its deadline is its own. */
export class Connection {
  readonly bucket: string;
  readonly region: string;
  readonly timeoutMs: number;
  readonly #options: S3BlobsOptions;
  readonly #endpoint: Endpoint;
  readonly #agent: http.Agent;

  /** @throws kind `invalid_argument`, reason `INVALID_S3_OPTIONS` */
  constructor(options: S3BlobsOptions) {
    this.#options = options;
    this.#endpoint = parseEndpoint("endpoint", options.endpoint);
    this.bucket = options.bucket;
    this.region = options.region ?? "us-east-1";
    this.timeoutMs = options.timeoutMs ?? 10_000;
    if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(this.bucket)) {
      throw invalidOption("bucket", "must be 3 to 63 characters of a-z 0-9 . -");
    }
    if (!Number.isSafeInteger(this.timeoutMs) || this.timeoutMs < 1) {
      throw invalidOption("timeoutMs", "must be a whole number of milliseconds, 1 or more");
    }
    if (options.accessKey === "" || options.secretKey === "")
      throw invalidOption("accessKey", "and secretKey must be set");
    this.#agent = new (this.#endpoint.useSSL ? https : http).Agent({ keepAlive: true, maxFreeSockets: 64 });
  }

  /** A client for one transfer, which lasts as long as bytes flow. */
  client(transfer: Omit<Transfer, "idleMs">): Client {
    const client = new Client({
      ...this.#credentials(this.#endpoint),
      transport: transport(this.#endpoint.useSSL, { ...transfer, idleMs: this.timeoutMs }),
      transportAgent: this.#agent,
      // Its own retries would send a body again that was consumed, and they write to the console.
      retryOptions: { disableRetry: true },
    });
    // Signing the body would mean to have it whole before its first byte leaves.
    client.enableSHA256 = false;
    return client;
  }

  /** A call without a body worth mentioning, within `timeoutMs` in all; unforeseen failures become kind `unavailable`. */
  async call<T>(work: (client: Client) => Promise<T>, timeoutMs = this.timeoutMs): Promise<T> {
    return await translated(() => work(this.client({ signal: AbortSignal.timeout(timeoutMs) })));
  }

  /** @throws kind `invalid_argument`, reason `INVALID_S3_OPTIONS` */
  publicClient(): Client | undefined {
    const { publicEndpoint } = this.#options;
    return publicEndpoint === undefined
      ? undefined
      : new Client(this.#credentials(parseEndpoint("publicEndpoint", publicEndpoint)));
  }

  #credentials(endpoint: Endpoint): ConstructorParameters<typeof Client>[0] {
    return { ...endpoint, region: this.region, accessKey: this.#options.accessKey, secretKey: this.#options.secretKey };
  }

  close(): void {
    this.#agent.destroy();
  }
}

interface Endpoint {
  readonly endPoint: string;
  readonly port: number;
  readonly useSSL: boolean;
}

function parseEndpoint(name: string, value: string): Endpoint {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  const useSSL = url?.protocol === "https:";
  if (url === undefined || (!useSSL && url.protocol !== "http:")) {
    throw invalidOption(name, "must be http://host:port or https://host:port");
  }
  if (url.pathname !== "/" || url.search !== "" || url.hash !== "" || url.username !== "" || url.password !== "") {
    throw invalidOption(name, "must have no path, query or user");
  }
  return { endPoint: url.hostname, port: url.port === "" ? (useSSL ? 443 : 80) : Number(url.port), useSSL };
}

const invalidOption = (name: string, rule: string): Error =>
  invalid("INVALID_S3_OPTIONS", `${name} ${rule}`, `/${name}`);
