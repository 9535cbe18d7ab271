import type { Identity } from "../identity/identity.ts";
import type { Metrics } from "../metrics.ts";
import { noTracing, type Tracing } from "../telemetry/tracing.ts";
import { createLocalTransport } from "./local.ts";
import { metered } from "./metered.ts";
import type { Calls } from "./pipeline.ts";
import { createRemoteTransport } from "./remote.ts";
import type { CallOptions, ServiceClient, ServiceDefinition, ServiceTable } from "./table.ts";
import type { GrpcTls } from "./tls.ts";
import { TracedTransport } from "./traced.ts";
import { methodOf, type OutgoingMeta, type Transport } from "./transport.ts";

const defaultTimeoutMs = 10_000;
/** Kept back from the caller's deadline, so that its own answer is still in time. */
const reserveMs = 50;

export interface ClientsDeps {
  readonly identity: Identity;
  readonly pipeline: Calls;
  readonly metrics: Metrics;
  /** Absent: calls are told of as no spans. */
  readonly tracing?: Tracing;
  /** Full service name to gRPC target. */
  readonly addresses: ReadonlyMap<string, string>;
  /** Absent: services elsewhere are called without encryption. */
  readonly tls?: GrpcTls | undefined;
}

/** Hands out clients: of a service in this process where there is one, else of the address that the settings give. */
export class Clients {
  readonly #service: string;
  readonly #deps: ClientsDeps;
  readonly #local: Map<string, ServiceTable>;
  readonly #transports: Map<string, Transport>;

  /** @param service in whose name calls `as: "service"` go out */
  constructor(deps: ClientsDeps, service: string, shared?: Clients) {
    this.#deps = deps;
    this.#service = service;
    this.#local = shared === undefined ? new Map() : shared.#local;
    this.#transports = shared === undefined ? new Map() : shared.#transports;
  }

  /** The same clients in the name of another service of this process. */
  forService(service: string): Clients {
    return new Clients(this.#deps, service, this);
  }

  /** Makes a service of this process reachable. */
  host(table: ServiceTable): void {
    this.#local.set(table.definition.fullName, table);
  }

  isLocal(definition: ServiceDefinition): boolean {
    return this.#local.has(definition.fullName);
  }

  /** Cheap and without connection until the first call; the service may come up later. */
  of<D extends ServiceDefinition>(definition: D): ServiceClient<D> {
    return this.#clientOf(definition, () => this.#transport(definition));
  }

  /**
   * A client of one replica at an address of its own; close the returned transport when it is no longer needed.
   * @param named the target that it is a replica of: its certificate carries that host
   */
  at<D extends ServiceDefinition>(
    definition: D,
    target: string,
    named?: string,
  ): { client: ServiceClient<D>; close: () => void } {
    const transport = this.#remote(definition, target, named);
    return { client: this.#clientOf(definition, () => transport), close: () => transport.close() };
  }

  #clientOf<D extends ServiceDefinition>(definition: D, transport: () => Transport): ServiceClient<D> {
    const call =
      (name: string) =>
      (request: unknown, options: CallOptions = {}) => {
        const streams = methodOf(definition, name).responseStream;
        const meta = outgoing(options, streams, this.#deps.identity.serviceToken(this.#service));
        return streams ? transport().stream(name, request, meta) : transport().unary(name, request, meta);
      };
    const methods = Object.keys(definition.methods).map((name) => [name, call(name)]);
    return Object.fromEntries(methods) as ServiceClient<D>;
  }

  #transport(definition: ServiceDefinition): Transport {
    const known = this.#transports.get(definition.fullName);
    if (known !== undefined) return known;
    const table = this.#local.get(definition.fullName);
    const address = this.#deps.addresses.get(definition.fullName);
    if (table === undefined && address === undefined) {
      throw new TypeError(`${definition.fullName} is neither in this process nor has it an address`);
    }
    const made =
      table === undefined
        ? this.#remote(definition, address ?? "")
        : this.#observed(definition, createLocalTransport(table, this.#deps.pipeline));
    this.#transports.set(definition.fullName, made);
    return made;
  }

  #remote(definition: ServiceDefinition, target: string, named?: string): Transport {
    const { tls, metrics } = this.#deps;
    const retried = (method: string): void =>
      metrics.retries.inc({ service: definition.fullName, method: methodOf(definition, method).name });
    return this.#observed(definition, createRemoteTransport(definition, target, { tls, named, retried }));
  }

  /** Each call is a span, and measured. */
  #observed(definition: ServiceDefinition, transport: Transport): Transport {
    const { metrics, tracing = noTracing } = this.#deps;
    return new TracedTransport(definition, metered(definition, transport, metrics.called), tracing);
  }

  close(): void {
    for (const transport of this.#transports.values()) transport.close();
    this.#transports.clear();
  }
}

function outgoing(options: CallOptions, streams: boolean, serviceToken: string): OutgoingMeta {
  const { context } = options;
  const asked = options.timeoutMs ?? (streams ? 60_000 : defaultTimeoutMs);
  const left =
    context === undefined ? Number.POSITIVE_INFINITY : Math.max(1, context.deadline.getTime() - Date.now() - reserveMs);
  const timeout = Math.min(asked === 0 ? Number.POSITIVE_INFINITY : asked, left);
  const signals = [options.signal, context?.signal].filter((signal) => signal !== undefined);
  return {
    authorization: options.as === "service" ? `Bearer ${serviceToken}` : (context?.authorization ?? undefined),
    serviceToken,
    address: context?.address,
    requestId: context?.requestId,
    timeoutMs: Number.isFinite(timeout) ? timeout : undefined,
    signal: signals.length > 1 ? AbortSignal.any(signals) : signals[0],
  };
}
