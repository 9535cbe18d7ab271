import { Channel, credentials } from "@grpc/grpc-js";
import { RegistryError } from "@registry/domain";
import {
  type CompatServiceDefinition,
  createClientFactory,
  Metadata,
  type CallOptions as NiceCallOptions,
} from "nice-grpc";
import { errorDetailsClientMiddleware } from "nice-grpc-error-details";
import { anySignal } from "../any-signal.ts";
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
  const signal = meta.signal === undefined ? controller.signal : anySignal(meta.signal, controller.signal);
  return { metadata, signal, release: () => clearTimeout(timer) };
}

/** The call with what it has left, by then: its attempts together take no longer than its caller waits. */
function countdown(meta: OutgoingMeta): () => OutgoingMeta {
  const { timeoutMs } = meta;
  if (timeoutMs === undefined) return () => meta;
  const endsAt = performance.now() + timeoutMs;
  return () => ({ ...meta, timeoutMs: Math.max(1, endsAt - performance.now()) });
}

function translate(error: unknown, signal: AbortSignal): unknown {
  if (!signal.aborted) return fromClientError(error);
  return signal.reason instanceof RegistryError
    ? signal.reason
    : new RegistryError("cancelled", "CANCELLED", "The call was given up by its caller");
}

/**
 * Calls a service elsewhere. Idempotent calls that find it away, streams that have given nothing yet among them, are tried
 * up to three times, with jitter, as long as retries stay a small part of all calls.
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

  /** Whether it is worth another attempt, which then may be made after a pause. */
  async function mayTryAgain(name: string, attempts: number, error: unknown): Promise<boolean> {
    const { options, requestStream } = methodOf(definition, name);
    const repeatable = options.idempotencyLevel !== undefined && !requestStream;
    const away = error instanceof RegistryError && error.kind === "unavailable";
    if (!away || !repeatable || attempts >= maxAttempts || !budget.mayRetry()) return false;
    retried?.(name);
    await new Promise((resolve) => setTimeout(resolve, retryPauseMs(attempts)));
    return true;
  }

  return {
    async unary(name, request, meta) {
      budget.call();
      const left = countdown(meta);
      for (let n = 1; ; n++) {
        try {
          return await attempt(name, request, left());
        } catch (error) {
          if (!(await mayTryAgain(name, n, error))) throw error;
        }
      }
    },
    async *stream(name, request, meta) {
      budget.call();
      const left = countdown(meta);
      for (let n = 1, begun = false; ; n++) {
        const options = wireOptions(left());
        try {
          const messages = client[name]?.(request, options) as AsyncIterable<unknown>;
          for await (const message of messages) {
            begun = true;
            yield message;
          }
          return;
        } catch (error) {
          const known = translate(error, options.signal);
          if (begun || !(await mayTryAgain(name, n, known))) throw known;
        } finally {
          options.release();
        }
      }
    },
    close() {
      channel.close();
    },
  };
}
