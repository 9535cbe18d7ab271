import type { ConnectionOptions } from "@nats-io/transport-node";
import { invalid, type RegistryError } from "@registry/domain";
import type { ParkingOptions } from "../parking.ts";
import type { BusLog, Redelivery } from "../port.ts";

export interface NatsBusOptions extends ParkingOptions {
  /** `nats://host:port` or `tls://…`, with `user:password@` or `token@` where the server wants it; several with commas. */
  readonly url: string;
  /** Shown by the server's monitoring, e.g. `catalog`. */
  readonly name: string;
  readonly log: BusLog;
  /** Name of the stream; every process of one registry uses the same. Default `REGISTRY`. */
  readonly stream?: string;
  /** What the stream may hold, where this process is the one that makes it; the oldest events go first. Default 1 GiB. */
  readonly maxBytes?: number;
  /**
   * How long the server remembers the ids of events, and drops one that comes again. 1 to 86400, default 120. A stream that
   * remembers them for longer stays so.
   */
  readonly duplicateSeconds?: number;
  /** Time of a call. Default 5000. */
  readonly timeoutMs?: number;
  readonly redelivery?: Redelivery;
  /**
   * A process that says nothing for so long about an event that it handles is taken for dead, and another gets the event;
   * while a handler runs, its process says that it works. 500 to 600000, default 20000. A shorter `ackWaitMs` goes first.
   */
  readonly maxSilenceMs?: number;
}

/** @throws kind `invalid_argument`, reason `INVALID_NATS_OPTIONS` */
export function checkNatsOptions(options: NatsBusOptions) {
  const {
    stream = "REGISTRY",
    maxBytes = 1024 ** 3,
    duplicateSeconds = 120,
    timeoutMs = 5000,
    redelivery = {},
    maxSilenceMs = 20_000,
  } = options;
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(stream))
    throw invalidOption("stream", "must be 1 to 64 characters of A-Z a-z 0-9 _ -");
  if (!Number.isSafeInteger(maxBytes) || maxBytes < 1024 ** 2) throw invalidOption("maxBytes", "must be 1 MiB or more");
  if (!Number.isSafeInteger(duplicateSeconds) || duplicateSeconds < 1 || duplicateSeconds > 86_400) {
    throw invalidOption("duplicateSeconds", "must be 1 to 86400");
  }
  if (!Number.isSafeInteger(timeoutMs) || timeoutMs < 1) throw invalidOption("timeoutMs", "must be 1 or more");
  if (!Number.isSafeInteger(maxSilenceMs) || maxSilenceMs < 500 || maxSilenceMs > 600_000) {
    throw invalidOption("maxSilenceMs", "must be 500 to 600000");
  }
  const limits = { maxBytes, duplicateSeconds, timeoutMs };
  return { connection: parseUrl(options.url), stream, limits, redelivery, maxSilenceMs };
}

function parseUrl(value: string): ConnectionOptions {
  const urls = value.split(",").map((text) => (URL.canParse(text.trim()) ? new URL(text.trim()) : undefined));
  const [first] = urls;
  const servers = urls.map((url) => {
    if (url === undefined || !["nats:", "tls:"].includes(url.protocol) || url.hostname === "") {
      throw invalidOption("url", "must be nats://host:port or tls://host:port, several with commas");
    }
    return url.port === "" ? url.hostname : `${url.hostname}:${url.port}`;
  });
  const secure = first?.protocol === "tls:" ? { tls: {} } : {};
  return { servers, ...secure, ...credentials(first) };
}

function credentials(url: URL | undefined): Pick<ConnectionOptions, "user" | "pass" | "token"> {
  if (url === undefined || url.username === "") return {};
  const user = decodeURIComponent(url.username);
  return url.password === "" ? { token: user } : { user, pass: decodeURIComponent(url.password) };
}

const invalidOption = (name: string, rule: string): RegistryError =>
  invalid("INVALID_NATS_OPTIONS", `${name} ${rule}`, `/${name}`);
