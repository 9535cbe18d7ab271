import type { Socket } from "node:net";
import { isIP } from "node:net";
import { connect, createSecureContext, type PeerCertificate, type SecureContextOptions } from "node:tls";
import {
  CallCredentials,
  ChannelCredentials,
  type experimental,
  ResponderBuilder,
  ServerCredentials,
  ServerInterceptingCall,
  type ServerInterceptor,
  ServerListenerBuilder,
} from "@grpc/grpc-js";
import type { TlsMaterial } from "../tls/files.ts";
import type { WatchedTls } from "../tls/watched.ts";

/** How a process proves itself to others, and whom it believes. */
export interface GrpcTls {
  readonly files: WatchedTls;
  /** Name that every server's certificate must carry, instead of the host that was dialled. */
  readonly serverName?: string | undefined;
}

const minVersion = "TLSv1.2";
/** A peer that takes a connection and then says nothing is given up. */
const handshakeMs = 10_000;

function contextOf({ cert, key, ca }: TlsMaterial): SecureContextOptions {
  return { cert, key, ca, minVersion };
}

/** A server that serves nobody without a certificate of its authorities; new files count for new connections. */
export class WatchedServerCredentials extends ServerCredentials {
  readonly #release: () => void;

  constructor(files: WatchedTls) {
    super({ requestCert: true, rejectUnauthorized: true, minVersion }, contextOf(files.material));
    this.#release = files.onChange((material) => this.updateSecureContextOptions(contextOf(material)));
  }

  override _equals(other: ServerCredentials): boolean {
    return this === other;
  }

  release(): void {
    this.#release();
  }
}

/** A client that shows its certificate and holds the server to its name. */
export class WatchedChannelCredentials extends ChannelCredentials {
  readonly #files: WatchedTls;
  readonly #serverName: string | undefined;

  /** @param serverName what the server's certificate must carry; undefined for the address that was reached */
  constructor(files: WatchedTls, serverName: string | undefined) {
    super();
    this.#files = files;
    this.#serverName = serverName;
  }

  override _isSecure(): boolean {
    return true;
  }

  override _equals(other: ChannelCredentials): boolean {
    return (
      other instanceof WatchedChannelCredentials &&
      other.#files === this.#files &&
      other.#serverName === this.#serverName
    );
  }

  override _createSecureConnector(
    _target: experimental.GrpcUri,
    _options: unknown,
    callCredentials?: CallCredentials,
  ): experimental.SecureConnector {
    return {
      connect: (socket) => secure(socket, contextOf(this.#files.material), this.#serverName),
      waitForReady: () => Promise.resolve(),
      getCallCredentials: () => callCredentials ?? CallCredentials.createEmpty(),
      destroy: () => undefined,
    };
  }
}

function secure(
  socket: Socket,
  context: SecureContextOptions,
  serverName: string | undefined,
): Promise<experimental.SecureConnectResult> {
  const host = serverName ?? socket.remoteAddress ?? "";
  const names = isIP(host) === 0 ? { servername: host } : {};
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      clearTimeout(timer);
      reject(error);
      wrapped.destroy();
    };
    const done = (): void => {
      clearTimeout(timer);
      wrapped.off("error", fail).off("close", closed);
      resolve({ socket: wrapped, secure: true });
    };
    const closed = (): void => fail(new Error("The connection ended during the TLS handshake"));
    const secureContext = createSecureContext(context);
    const wrapped = connect({ socket, secureContext, host, ...names, ALPNProtocols: ["h2"] }, done);
    const timer = setTimeout(() => fail(new Error("The TLS handshake took too long")), handshakeMs);
    wrapped.once("error", fail).once("close", closed);
  });
}

/**
 * The host in a gRPC target (`host:port`, `dns:///host:port`), which its certificate has to carry.
 * @returns undefined for lists of addresses: there each certificate has to carry its own
 */
export function hostOf(target: string): string | undefined {
  if (/^ipv[46]:/.test(target)) return undefined;
  const match = /^(?:\[([^\]]+)\]|([^:]+))(?::\d+)?$/.exec(target.replace(/^dns:(?:\/\/[^/]*\/)?/, ""));
  return match?.[1] ?? match?.[2];
}

/** Header in which the server tells itself the names of the client's certificate; what came from outside is replaced. */
export const peerNamesHeader = "registry-peer-names";

export const tellPeerNames: ServerInterceptor = (_method, call) => {
  const listener = new ServerListenerBuilder()
    .withOnReceiveMetadata((metadata, next) => {
      metadata.set(peerNamesHeader, namesOf(call.getAuthContext().sslPeerCertificate).join(","));
      next(metadata);
    })
    .build();
  return new ServerInterceptingCall(call, new ResponderBuilder().withStart((next) => next(listener)).build());
};

const wellFormed = /^[a-z0-9*](?:[a-z0-9._*-]{0,251}[a-z0-9])?$/i;

/** DNS names and the common name of a certificate. */
export function namesOf(certificate: Pick<PeerCertificate, "subject" | "subjectaltname"> | undefined): string[] {
  const alternatives = certificate?.subjectaltname ?? "";
  // Quotes stand around names that could be mistaken for several; nobody honest has one.
  const listed = alternatives.includes('"') ? [] : alternatives.split(", ");
  const dns = listed.filter((entry) => entry.startsWith("DNS:")).map((entry) => entry.slice(4));
  const names = [...dns, ...[certificate?.subject?.CN ?? []].flat()];
  return [...new Set(names.filter((name) => wellFormed.test(name)).map((name) => name.toLowerCase()))];
}
