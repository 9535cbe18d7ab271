import { createServer, type RequestListener, type Server, type ServerOptions } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { Socket } from "node:net";
import type { TlsMaterial, WatchedTls } from "@registry/kit";

/** How long a peer may take over what, in milliseconds. */
export interface Patience {
  /** For the TLS handshake. */
  readonly handshake: number;
  readonly headers: number;
  /** For the whole request, its body too. */
  readonly request: number;
  /** Between two requests. */
  readonly keepAlive: number;
  /** Without a byte in either direction; longer than any answer may take to be made. */
  readonly silence: number;
  /** How often headers and requests are looked at. */
  readonly look: number;
}

export const usualPatience: Patience = {
  handshake: 10_000,
  headers: 10_000,
  request: 65_000,
  keepAlive: 72_000,
  silence: 75_000,
  look: 2000,
};

export interface ListenerOptions {
  readonly serve: RequestListener;
  /** Absent: plain HTTP. */
  readonly tls?: WatchedTls | undefined;
  readonly maxConnections: number;
  /** 0 for no limit. */
  readonly maxPerAddress: number;
  /** What connections of one address count under; undefined for those that are not counted. */
  readonly addressOf: (remote: string | undefined) => string | undefined;
  readonly patience?: Patience;
}

const headerBytes = 16 * 1024;
const minVersion = "TLSv1.2";

function contextOf({ cert, key }: TlsMaterial) {
  return { cert, key, minVersion } as const;
}

/** The HTTP or HTTPS server, with everything that keeps slow, greedy and confusing peers from doing harm. */
export function createListener(options: ListenerOptions): Server {
  const { serve, tls, patience = usualPatience } = options;
  const rules: ServerOptions = {
    maxHeaderSize: headerBytes,
    headersTimeout: patience.headers,
    requestTimeout: patience.request,
    keepAliveTimeout: patience.keepAlive,
    connectionsCheckingInterval: patience.look,
    // Left to the host check, whose answer is a problem document.
    requireHostHeader: false,
    // Two hosts or two credentials are none; by default the first would win here, and perhaps the last in a proxy.
    joinDuplicateHeaders: true,
  };
  const server = tls === undefined ? createServer(rules, serve) : secureServer(tls, rules, options);
  server.maxConnections = options.maxConnections;
  // Whoever has asked and then takes nothing of the answer holds it in memory.
  server.timeout = patience.silence;
  // An expectation that is not known is passed over, as the standard allows.
  server.on("checkExpectation", (request, response) => server.emit("request", request, response));
  if (options.maxPerAddress > 0) limitAddresses(server, options);
  return server;
}

function secureServer(tls: WatchedTls, rules: ServerOptions, { serve, patience = usualPatience }: ListenerOptions) {
  const server = createSecureServer(
    { ...rules, ...contextOf(tls.material), handshakeTimeout: patience.handshake },
    serve,
  );
  const release = tls.onChange((material) => server.setSecureContext(contextOf(material)));
  return server.once("close", release);
}

function limitAddresses(server: Server, { maxPerAddress, addressOf }: ListenerOptions): void {
  const open = new Map<string, number>();
  server.on("connection", (socket: Socket) => {
    const address = addressOf(socket.remoteAddress);
    if (address === undefined) return;
    const count = (open.get(address) ?? 0) + 1;
    if (count > maxPerAddress) {
      socket.destroy();
      return;
    }
    open.set(address, count);
    socket.once("close", () => {
      const left = (open.get(address) ?? 1) - 1;
      if (left > 0) open.set(address, left);
      else open.delete(address);
    });
  });
}
