import { JsonTraceSerializer, ProtobufTraceSerializer } from "@opentelemetry/otlp-transformer";
import type { ReadableSpan, SpanExporter } from "@opentelemetry/sdk-trace";
import type { Logger } from "../../log.ts";
import { outsideTraces } from "../context.ts";
import { readPairs, type TelemetryConfig } from "../settings.ts";
import { cleaner, cleanSpan } from "./clean.ts";
import { postUntilTaken } from "./post.ts";

/** Batches under way at once; those that come while a collector holds so many are dropped. */
const mostAtOnce = 4;

const protocols = {
  "http/protobuf": { type: "application/x-protobuf", serializer: ProtobufTraceSerializer },
  "http/json": { type: "application/json", serializer: JsonTraceSerializer },
} as const;

/**
 * Sends spans by OTLP over HTTP, without secrets. Tells once of an outage, and once of its end. OpenTelemetry's own sender
 * would do, but that nothing ends what it has begun, and a process that is to stop waits for a collector that hangs.
 */
export class CleanExporter implements SpanExporter {
  readonly #url: string;
  readonly #headers: Record<string, string>;
  readonly #timeoutMs: number;
  readonly #serializer: (typeof protocols)[keyof typeof protocols]["serializer"];
  readonly #clean: (text: string) => string;
  readonly #log: Logger;
  readonly #underWay = new Set<Promise<void>>();
  readonly #stop = new AbortController();
  #away = false;

  constructor(url: string, config: TelemetryConfig, log: Logger, secrets: readonly string[]) {
    const { type, serializer } = protocols[config.OTEL_EXPORTER_OTLP_PROTOCOL];
    this.#url = url;
    this.#headers = {
      ...Object.fromEntries(readPairs(config.OTEL_EXPORTER_OTLP_HEADERS ?? "")),
      "content-type": type,
    };
    this.#timeoutMs = config.OTEL_EXPORTER_OTLP_TIMEOUT;
    this.#serializer = serializer;
    this.#clean = cleaner(secrets);
    this.#log = log;
  }

  export(spans: ReadableSpan[], done: Parameters<SpanExporter["export"]>[1]): void {
    const sent = this.#send(spans)
      .then(
        () => this.#tell(undefined),
        (error: unknown) => this.#tell(error),
      )
      // Whoever queues has nothing to do with how it went.
      .finally(() => done({ code: 0 }))
      .finally(() => this.#underWay.delete(sent));
    this.#underWay.add(sent);
  }

  async #send(spans: readonly ReadableSpan[]): Promise<void> {
    if (this.#underWay.size >= mostAtOnce) throw new Error("the collector does not keep up");
    const body = this.#serializer.serializeRequest(spans.map((span) => cleanSpan(this.#clean, span)));
    if (body === undefined) return;
    const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(this.#timeoutMs)]);
    await outsideTraces(() => postUntilTaken(this.#url, this.#headers, body, signal));
  }

  #tell(error: unknown): void {
    const failed = error !== undefined;
    if (failed === this.#away || this.#stop.signal.aborted) return;
    this.#away = failed;
    outsideTraces(() => {
      const collector = this.#url;
      if (failed) this.#log.warn({ collector, err: error }, "traces not sent; told once until they are again");
      else this.#log.info({ collector }, "traces are sent again");
    });
  }

  /** Waits for what is under way. */
  async forceFlush(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  async shutdown(): Promise<void> {
    await this.forceFlush();
  }

  /** Gives up what is still under way. */
  stop(): void {
    this.#stop.abort(new Error("The process ends"));
  }
}
