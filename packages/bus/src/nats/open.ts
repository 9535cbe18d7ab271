import { jetstream } from "@nats-io/jetstream";
import { errors, type NatsConnection } from "@nats-io/transport-node";
import { unavailable } from "@registry/domain";
import type { DeliveryContext } from "../delivery.ts";
import { Parking } from "../parking.ts";
import type { Bus, Delivery, Event, GroupLag, SubscribeOptions, Subscription } from "../port.ts";
import { checkSubjects, checkSubscription, encodeData, messageIdOf } from "../rules.ts";
import { Subscriptions } from "../subscriptions.ts";
import { encodeHeaders } from "./headers.ts";
import { Link } from "./link.ts";
import { checkNatsOptions, type NatsBusOptions } from "./options.ts";
import { isStreamNotFound, Stream } from "./stream.ts";
import { Tap } from "./tap.ts";
import { Worker } from "./worker.ts";

export type { NatsBusOptions } from "./options.ts";

/**
 * A bus on a JetStream stream. Does not wait for the server: while that is away calls fail with kind `unavailable`, and
 * subscriptions begin when it is there.
 * @throws kind `invalid_argument`, reason `INVALID_NATS_OPTIONS`
 */
export async function openNatsBus(options: NatsBusOptions): Promise<Bus> {
  const { connection, stream, limits, redelivery, maxSilenceMs } = checkNatsOptions(options);
  const { timeoutMs } = limits;
  const link = new Link(
    {
      ...connection,
      name: options.name,
      timeout: timeoutMs,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 250,
      reconnectJitter: 250,
      pingInterval: 5_000,
      maxPingOut: 2,
      ignoreAuthErrorAbort: true,
    },
    timeoutMs,
    options.log,
  );
  const bus: NatsBus = new NatsBus(link, new Stream(link, { name: stream, ...limits }, options.log), {
    log: options.log,
    redelivery,
    parking: new Parking((event) => bus.publish(event), options),
    timeoutMs,
    maxSilenceMs,
  });
  return bus;
}

interface NatsBusContext extends DeliveryContext {
  readonly timeoutMs: number;
  readonly maxSilenceMs: number;
}

class NatsBus implements Bus {
  readonly #link: Link;
  readonly #stream: Stream;
  readonly #context: NatsBusContext;
  readonly #subscriptions = new Subscriptions();
  #open = true;

  constructor(link: Link, stream: Stream, context: NatsBusContext) {
    this.#link = link;
    this.#stream = stream;
    this.#context = context;
    // A server that came back without its data gets the stream again before anybody asks for it.
    link.on("up", () => {
      stream.ensure().catch((error: unknown) => context.log.warn({ err: error }, "event stream not checked"));
    });
  }

  async publish(event: Event): Promise<void> {
    const body = encodeData(event);
    const connection = await this.#link.connection();
    try {
      await this.#send(connection, event, body);
    } catch (error) {
      if (!isStreamMissing(error)) throw unavailable("The event bus", error);
      await this.#stream.ensure();
      await this.#send(connection, event, body).catch((again: unknown) => {
        throw unavailable("The event bus", again);
      });
    }
  }

  async #send(connection: NatsConnection, event: Event, body: string): Promise<void> {
    const before = this.#stream.highest;
    const accepted = await jetstream(connection).publish(event.subject, body, {
      msgID: messageIdOf(event),
      headers: encodeHeaders(event),
      timeout: this.#context.timeoutMs,
      expect: { streamName: this.#stream.name },
    });
    if (!accepted.duplicate) this.#stream.noteAccepted(before, accepted.seq);
  }

  async subscribe(options: SubscribeOptions, handle: (delivery: Delivery) => Promise<void>): Promise<Subscription> {
    const subscription = checkSubscription(options);
    this.#checkOpen();
    const worker = new Worker({ ...this.#context, link: this.#link, stream: this.#stream }, subscription, handle);
    return this.#subscriptions.add(() => worker.close());
  }

  async tap(subjects: readonly string[], handle: (event: Event) => void): Promise<Subscription> {
    checkSubjects(subjects);
    this.#checkOpen();
    const tap = new Tap(this.#link, subjects, handle, this.#context);
    await tap.begin();
    return this.#subscriptions.add(async () => tap.close());
  }

  async ping(): Promise<void> {
    await this.#stream.ensure();
  }

  async generation(): Promise<string> {
    return await this.#stream.generation();
  }

  async lag(): Promise<GroupLag[]> {
    return await this.#stream.lag();
  }

  async close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await this.#subscriptions.closeAll();
    await this.#link.close();
  }

  #checkOpen(): void {
    if (!this.#open) throw unavailable("The event bus");
  }
}

/** A stream that is not there answers nothing, or nobody answers; which of both depends on who else listens. */
const isStreamMissing = (error: unknown): boolean =>
  error instanceof errors.TimeoutError || hasNoResponders(error) || isStreamNotFound(error);

const hasNoResponders = (error: unknown): boolean =>
  error instanceof Error && error.cause instanceof errors.RequestError && error.cause.isNoResponders();
