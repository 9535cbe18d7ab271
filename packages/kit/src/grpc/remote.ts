import { Channel, credentials } from "@grpc/grpc-js";
import { RegistryError } from "@registry/domain";
import {
  type CompatServiceDefinition,
  createClientFactory,
  Metadata,
  type CallOptions as NiceCallOptions,
} from "nice-grpc";
import { errorDetailsClientMiddleware } from "nice-grpc-error-details";
import { deadlineExceeded, fromClientError } from "./errors.ts";
import { RetryBudget, retryPauseMs } from "./retry.ts";
import type { ServiceDefinition } from "./table.ts";
import { type GrpcTls, hostOf, WatchedChannelCredentials } from "./tls.ts";
import { methodOf, type OutgoingMeta, type Transport } from "./transport.ts";

/** Header in which a caller says how many milliseconds it has left. */
export const timeoutHeader = "registry-timeout-ms";
export const requestIdHeader = "x-request-id";
/** Header of W3C trace context. */
export const traceHeader = "traceparent";
/** Header with the token of the service that makes the call. */
export const serviceHeader = "registry-service";
/** Header in which a service says where the original caller is; believed with a service's token only. */
export const addressHeader = "registry-client-address";

/** Larger than any message of the contracts: a page of details with manifests. */
export const maxMessageBytes = 16 * 1024 * 1024;

const channelOptions = {
  "grpc.service_config": JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }),
  "grpc.initial_reconnect_backoff_ms": 100,
  "grpc.max_reconnect_backoff_ms": 1000,
  "grpc.keepalive_time_ms": 20_000,
  "grpc.keepalive_timeout_ms": 5000,
  "grpc.dns_min_time_between_resolutions_ms": 2000,
  "grpc.max_receive_message_length": maxMessageBytes,
  "grpc.max_send_message_length": maxMessageBytes,
};

type AnyClient = { readonly [method: string]: (request: unknown, options: NiceCallOptions) => unknown };

const maxAttempts = 3;

export interface RemoteOptions {
  /** Absent: without encryption, where the network is trusted. */
  readonly tls?: GrpcTls | undefined;
  /** Target whose host the server's certificate carries, where that is not the one that is called. */
  readonly named?: string | undefined;
  /** Told of each call that is made once more. */
  readonly retried?: (method: string) => void;
}

function wireOptions(meta: OutgoingMeta): NiceCallOptions & { signal: AbortSignal; release: () => void } {
  const metadata = Metadata();
  if (meta.authorization !== undefined) metadata.set("authorization", meta.authorization);
  if (meta.serviceToken !== undefined) metadata.set(serviceHeader, meta.serviceToken);
  if (meta.address !== undefined) metadata.set(addressHeader, meta.address);
  if (meta.requestId !== undefined) metadata.set(requestIdHeader, meta.requestId);
  if (meta.traceparent !== undefined) metadata.set(traceHeader, meta.traceparent);
  if (meta.timeoutMs !== undefined) metadata.set(timeoutHeader, String(Math.floor(meta.timeoutMs)));
  const controller = new AbortController();
  const timer =
    meta.timeoutMs === undefined ? undefined : setTimeout(() => controller.abort(deadlineExceeded()), meta.timeoutMs);
  const signal = meta.signal === undefined ? controller.signal : AbortSignal.any([meta.signal, controller.signal]);
  return { metadata, signal, release: () => clearTimeout(timer) };
}

function translate(error: unknown, signal: AbortSignal): unknown {
  if (!signal.aborted) return fromClientError(error);
  return signal.reason instanceof RegistryError
    ? signal.reason
    : new RegistryError("cancelled", "CANCELLED", "The call was given up by its caller");
}

/**
 * Calls a service elsewhere. Idempotent calls that find it away are tried up to three times, with jitter, as long as
 * retries stay a small part of all calls.
 * @param target a gRPC target: `host:port`, `dns:///name:port`, `ipv4:a:p,b:p`
 */
export function createRemoteTransport(
  definition: ServiceDefinition,
  target: string,
  { tls, named = target, retried }: RemoteOptions = {},
): Transport {
  const channelCredentials =
    tls === undefined
      ? credentials.createInsecure()
      : new WatchedChannelCredentials(tls.files, tls.serverName ?? hostOf(named));
  const channel = new Channel(target, channelCredentials, channelOptions);
  const client = createClientFactory()
    .use(errorDetailsClientMiddleware)
    .create(definition as unknown as CompatServiceDefinition, channel) as unknown as AnyClient;
  const budget = new RetryBudget();

  async function attempt(name: string, request: unknown, meta: OutgoingMeta): Promise<unknown> {
    const options = wireOptions(meta);
    try {
      return await client[name]?.(request, options);
    } catch (error) {
      throw translate(error, options.signal);
    } finally {
      options.release();
    }
  }

  return {
    async unary(name, request, meta) {
      const { options, requestStream } = methodOf(definition, name);
      const repeatable = options.idempotencyLevel !== undefined && !requestStream;
      budget.call();
      for (let n = 1; ; n++) {
        try {
          return await attempt(name, request, meta);
        } catch (error) {
          const away = error instanceof RegistryError && error.kind === "unavailable";
          if (!away || !repeatable || n >= maxAttempts || !budget.mayRetry()) throw error;
          retried?.(name);
          await new Promise((resolve) => setTimeout(resolve, retryPauseMs(n)));
        }
      }
    },
    async *stream(name, request, meta) {
      const options = wireOptions(meta);
      try {
        yield* client[name]?.(request, options) as AsyncIterable<unknown>;
      } catch (error) {
        throw translate(error, options.signal);
      } finally {
        options.release();
      }
    },
    close() {
      channel.close();
    },
  };
}
