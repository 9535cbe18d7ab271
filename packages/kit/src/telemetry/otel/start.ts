import {
  SpanKind as OtelKind,
  type Span as OtelSpan,
  ROOT_CONTEXT,
  SpanStatusCode,
  type Tracer,
  trace,
} from "@opentelemetry/api";
import { defaultResource, resourceFromAttributes } from "@opentelemetry/resources";
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  type Sampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import { isRegistryError } from "@registry/domain";
import { attribute } from "../attributes.ts";
import { activeTrace, outsideTraces, type TraceContext } from "../context.ts";
import type { TracingDeps } from "../open.ts";
import { type OtlpTarget, readPairs, type TelemetryConfig } from "../settings.ts";
import {
  type Span,
  type SpanAttributes,
  type SpanKind,
  type SpanStart,
  serverFaults,
  type Tracing,
} from "../tracing.ts";
import { cleaner } from "./clean.ts";
import { CleanExporter } from "./exporter.ts";

/** Spans that wait to be sent; what comes beyond is dropped. */
const queueSize = 4096;
const batchSize = 512;
const closeWithinMs = 5000;
/** Texts are cut to their length once they hold no secret. */
const limits = { attributeValueLengthLimit: 16_384, attributeCountLimit: 32, eventCountLimit: 16, linkCountLimit: 4 };

const kinds: { readonly [kind in SpanKind]: OtelKind } = {
  server: OtelKind.SERVER,
  client: OtelKind.CLIENT,
  producer: OtelKind.PRODUCER,
  consumer: OtelKind.CONSUMER,
};

/** Spans by OpenTelemetry's SDK: queued, sent in batches, dropped where the collector does not keep up. */
export function startTracing(target: OtlpTarget, config: TelemetryConfig, deps: TracingDeps): Tracing {
  const exporter = new CleanExporter(target, deps.log, deps.secrets);
  const processor = new BatchSpanProcessor({
    exporter,
    maxQueueSize: queueSize,
    maxExportBatchSize: batchSize,
    scheduledDelayMillis: config.OTEL_BSP_SCHEDULE_DELAY,
    exportTimeoutMillis: target.timeoutMs + 1000,
  });
  const provider = new TracerProvider({
    // By default what the SDK is; collectors tell by it what else to expect.
    resource: defaultResource().merge(resourceFromAttributes(resourceOf(config, deps))),
    sampler: samplerOf(config),
    spanLimits: limits,
    spanProcessors: [processor],
  });
  return new OtelTracing(provider, exporter, deps.version);
}

function resourceOf(config: TelemetryConfig, deps: TracingDeps): Record<string, string> {
  const clean = cleaner(deps.secrets);
  const said = [...readPairs(config.OTEL_RESOURCE_ATTRIBUTES ?? "")].map(([name, value]) => [name, clean(value)]);
  return {
    [attribute.serviceName]: deps.serviceName,
    [attribute.serviceVersion]: deps.version,
    [attribute.serviceInstance]: deps.instance,
    ...Object.fromEntries(said),
    ...(config.OTEL_SERVICE_NAME === undefined ? {} : { [attribute.serviceName]: config.OTEL_SERVICE_NAME }),
  };
}

function samplerOf({ OTEL_TRACES_SAMPLER: name, OTEL_TRACES_SAMPLER_ARG: share }: TelemetryConfig): Sampler {
  const root = name.endsWith("always_on")
    ? new AlwaysOnSampler()
    : name.endsWith("always_off")
      ? new AlwaysOffSampler()
      : new TraceIdRatioBasedSampler(share);
  return name.startsWith("parentbased_") ? new ParentBasedSampler({ root }) : root;
}

class OtelTracing implements Tracing {
  readonly on = true;
  readonly #provider: TracerProvider;
  readonly #exporter: CleanExporter;
  readonly #tracer: Tracer;
  #closing: Promise<void> | undefined;

  constructor(provider: TracerProvider, exporter: CleanExporter, version: string) {
    this.#provider = provider;
    this.#exporter = exporter;
    this.#tracer = provider.getTracer("agenticraft-registry", version);
  }

  begin({ name, kind, attributes, parent = activeTrace(), root }: SpanStart): Span | undefined {
    if (parent === undefined && root !== true) return undefined;
    const options = { kind: kinds[kind], ...(attributes === undefined ? {} : { attributes }) };
    return new RecordedSpan(this.#tracer.startSpan(name, options, contextOf(parent)));
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, closeWithinMs);
    });
    // What could not be sent was told of already.
    const sent = outsideTraces(() => this.#provider.shutdown()).catch(() => undefined);
    await Promise.race([sent, late]);
    clearTimeout(timer);
    this.#exporter.stop();
  }
}

function contextOf(parent: TraceContext | undefined) {
  if (parent === undefined) return ROOT_CONTEXT;
  const { traceId, spanId, flags } = parent;
  const isRemote = !(parent instanceof RecordedSpan);
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: flags, isRemote });
}

class RecordedSpan implements Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly flags: number;
  readonly #span: OtelSpan;
  #ended = false;

  constructor(span: OtelSpan) {
    const { traceId, spanId, traceFlags } = span.spanContext();
    this.traceId = traceId;
    this.spanId = spanId;
    this.flags = traceFlags;
    this.#span = span;
  }

  get ended(): boolean {
    return this.#ended;
  }

  rename(name: string): void {
    this.#span.updateName(name);
  }

  set(attributes: SpanAttributes): void {
    this.#span.setAttributes(attributes);
  }

  fail(error: unknown): void {
    if (!(error instanceof Error)) {
      this.#span.setAttributes({ [attribute.errorType]: String(error) });
      this.#span.setStatus({ code: SpanStatusCode.ERROR });
      return;
    }
    const { message } = error;
    const known = isRegistryError(error) ? error : undefined;
    const type = known?.reason ?? error.name;
    this.#span.setAttributes({ [attribute.errorType]: type });
    if (known !== undefined && !serverFaults.has(known.kind)) {
      this.#span.setStatus({ code: SpanStatusCode.ERROR });
      return;
    }
    this.#span.addEvent("exception", { [attribute.exceptionType]: type, [attribute.exceptionMessage]: message });
    this.#span.setStatus({ code: SpanStatusCode.ERROR, message });
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#span.end();
  }
}
