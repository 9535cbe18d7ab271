import { isIP } from "node:net";
import { readDescriptorSet } from "@registry/contracts";
import { type CompatServiceDefinition, createServer, type CallContext as NiceContext, type Server } from "nice-grpc";
import { errorDetailsServerMiddleware } from "nice-grpc-error-details";
import { HealthDefinition } from "nice-grpc-server-health";
import { ServerReflection, ServerReflectionService } from "nice-grpc-server-reflection";
import { scrub } from "../scrub.ts";
import { toRegistryError, toServerError } from "./errors.ts";
import { healthService, type Serves } from "./health.ts";
import { decodingAll } from "./messages.ts";
import type { CallMeta, Calls } from "./pipeline.ts";
import {
  addressHeader,
  maxMessageBytes,
  requestIdHeader,
  serviceHeader,
  timeoutHeader,
  traceHeader,
} from "./remote.ts";
import type { ServiceTable } from "./table.ts";
import { type GrpcTls, peerNamesHeader, tellPeerNames, WatchedServerCredentials } from "./tls.ts";

/** An IP address, an IPv4 one without its IPv6 coat; undefined for anything else. */
function addressIn(text: string | undefined): string | undefined {
  const plain = text?.replace(/^::ffff:(?=\d+\.)/i, "");
  return plain === undefined || isIP(plain) === 0 ? undefined : plain;
}

/** One that looks like a secret would be none in the log, so that nobody could find what it stands for. */
const isRequestId = (text: string): boolean => /^[\w-]{1,64}$/.test(text) && scrub(text) === text;

/** @param secure whether the connection's other end has shown a certificate */
function metaOf(context: NiceContext, secure: boolean): CallMeta {
  const timeout = context.metadata.get(timeoutHeader);
  const requestId = context.metadata.get(requestIdHeader);
  return {
    authorization: context.metadata.get("authorization"),
    serviceToken: context.metadata.get(serviceHeader),
    address: addressIn(context.metadata.get(addressHeader)),
    peerNames: secure ? (context.metadata.get(peerNamesHeader) ?? "").split(",") : undefined,
    peer: addressIn(/^(?:ipv[46]:)?\[?(.+?)\]?:\d+$/.exec(decodeURIComponent(context.peer))?.[1]),
    requestId: requestId !== undefined && isRequestId(requestId) ? requestId : undefined,
    traceparent: context.metadata.get(traceHeader),
    timeoutMs: timeout !== undefined && /^\d{1,9}$/.test(timeout) ? Number(timeout) : undefined,
    signal: context.signal,
  };
}

function implementationOf(table: ServiceTable, pipeline: Calls, secure: boolean): Record<string, unknown> {
  const methods = Object.entries(table.definition.methods).map(([name, method]) => [
    name,
    method.responseStream
      ? async function* (request: unknown, context: NiceContext): AsyncGenerator<unknown> {
          try {
            yield* pipeline.stream(table, name, request, metaOf(context, secure));
          } catch (error) {
            throw toServerError(toRegistryError(error));
          }
        }
      : async (request: unknown, context: NiceContext): Promise<unknown> => {
          try {
            return await pipeline.unary(table, name, request, metaOf(context, secure));
          } catch (error) {
            throw toServerError(toRegistryError(error));
          }
        },
  ]);
  return Object.fromEntries(methods);
}

export interface GrpcServer {
  /** Port that it listens on. */
  readonly port: number;
  /** Ends streams without end at once, calls under way within the time given, then cuts the rest. Idempotent. */
  close(graceMs: number): Promise<void>;
}

export interface GrpcServerOptions {
  /** Absent: without encryption, where the network is trusted. */
  readonly tls?: GrpcTls | undefined;
  /** What health checks are told. Default: everything that is hosted here serves. */
  readonly serves?: Serves;
}

/** One listener for all services that this process hosts, with health and reflection. */
export async function startGrpcServer(
  tables: readonly ServiceTable[],
  pipeline: Calls,
  address: { readonly host: string; readonly port: number },
  { tls, serves }: GrpcServerOptions = {},
): Promise<GrpcServer> {
  const secure = tls === undefined ? undefined : new WatchedServerCredentials(tls.files);
  const options = {
    "grpc.max_receive_message_length": maxMessageBytes,
    "grpc.max_send_message_length": maxMessageBytes,
    "grpc.max_concurrent_streams": 1000,
    "grpc.keepalive_permit_without_calls": 1,
    interceptors: secure === undefined ? [] : [tellPeerNames],
  };
  const server: Server = createServer(options).use(errorDetailsServerMiddleware);
  const names = tables.map((table) => table.definition.fullName);
  for (const table of tables) {
    const definition = decodingAll(table.definition) as unknown as CompatServiceDefinition;
    server.add(definition, implementationOf(table, pipeline, secure !== undefined) as never);
  }
  const ending = new AbortController();
  const hosted = async (name: string): Promise<boolean | undefined> => name === "" || names.includes(name) || undefined;
  server.add(HealthDefinition, healthService(serves ?? hosted, ending.signal));
  const told = [...names, "grpc.health.v1.Health"];
  server.add(ServerReflectionService, ServerReflection(readDescriptorSet(), told));
  const host = address.host.includes(":") ? `[${address.host}]` : address.host;
  const port = await server.listen(`${host}:${address.port}`, secure);
  let closing: Promise<void> | undefined;
  const close = async (graceMs: number): Promise<void> => {
    ending.abort();
    pipeline.endStreams();
    let timer: NodeJS.Timeout | undefined;
    const cut = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        server.forceShutdown();
        resolve();
      }, graceMs);
    });
    await Promise.race([server.shutdown(), cut]);
    clearTimeout(timer);
    secure?.release();
  };
  return {
    port,
    close(graceMs) {
      closing ??= close(graceMs);
      return closing;
    },
  };
}
