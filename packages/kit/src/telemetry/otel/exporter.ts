import { JsonTraceSerializer, ProtobufTraceSerializer } from "@opentelemetry/otlp-transformer";
import type { ReadableSpan, SpanExporter } from "@opentelemetry/sdk-trace";
import { anySignal } from "../../any-signal.ts";
import type { Logger } from "../../log.ts";
import { outsideTraces } from "../context.ts";
import { type OtlpTarget, shownAddress } from "../settings.ts";
import { caller } from "./call.ts";
import { cleaner, cleanSpan } from "./clean.ts";
import { poster } from "./post.ts";
import { type Sender, untilTaken } from "./sending.ts";

/** Batches under way at once; those that come while a collector holds so many are dropped. */
const mostAtOnce = 4;

interface Protocol {
  readonly serializer: typeof ProtobufTraceSerializer | typeof JsonTraceSerializer;
  readonly open: (target: OtlpTarget) => Sender;
}

const protocols: { readonly [protocol in OtlpTarget["protocol"]]: Protocol } = {
  "http/protobuf": { serializer: ProtobufTraceSerializer, open: (to) => poster(to, "application/x-protobuf") },
  "http/json": { serializer: JsonTraceSerializer, open: (to) => poster(to, "application/json") },
  grpc: { serializer: ProtobufTraceSerializer, open: caller },
};

/**
 * Sends spans by OTLP, without secrets. Tells once of an outage, and once of its end. OpenTelemetry's own sender
 * would do, but that nothing ends what it has begun, and a process that is to stop waits for a collector that hangs.
 */
export class CleanExporter implements SpanExporter {
  readonly #address: string;
  readonly #timeoutMs: number;
  readonly #serializer: Protocol["serializer"];
  readonly #sender: Sender;
  readonly #clean: (text: string) => string;
  readonly #log: Logger;
  readonly #underWay = new Set<Promise<void>>();
  readonly #stop = new AbortController();
  #away = false;

  constructor(target: OtlpTarget, log: Logger, secrets: readonly string[]) {
    const { serializer, open } = protocols[target.protocol];
    this.#address = shownAddress(target.url);
    this.#timeoutMs = target.timeoutMs;
    this.#serializer = serializer;
    this.#sender = open(target);
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
    const signal = anySignal(this.#stop.signal, AbortSignal.timeout(this.#timeoutMs));
    await outsideTraces(() => untilTaken(this.#sender, body, signal));
  }

  #tell(error: unknown): void {
    const failed = error !== undefined;
    if (failed === this.#away || this.#stop.signal.aborted) return;
    this.#away = failed;
    outsideTraces(() => {
      const collector = this.#address;
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
    this.#sender.close();
  }
}
