import { setTimeout as pause } from "node:timers/promises";
import {
  AckPolicy,
  type Consumer,
  type ConsumerMessages,
  DeliverPolicy,
  type JsMsg,
  jetstream,
} from "@nats-io/jetstream";
import { nanos } from "@nats-io/transport-node";
import { withDeadline } from "../deadline.ts";
import { type DeliveryContext, deliver, recorded } from "../delivery.ts";
import type { Delivery } from "../port.ts";
import { type CheckedSubscription, isFor } from "../rules.ts";
import { decodeMessage } from "./headers.ts";
import type { Link } from "./link.ts";
import type { Stream } from "./stream.ts";

/** How long one request for events stays open, and how soon its loss is noticed. */
const fetchMs = 10_000;
const heartbeatMs = 2_500;
/** Events that pause after a failure count as pending; enough of them would keep all others back. */
const maxPending = 10_000;
const maxRetryMs = 5_000;

export interface WorkerContext extends DeliveryContext {
  readonly link: Link;
  readonly stream: Stream;
  readonly maxSilenceMs: number;
}

/** One subscription: asks for as many events as it has room for, for as long as it lives. */
export class Worker {
  readonly #context: WorkerContext;
  readonly #subscription: CheckedSubscription;
  readonly #handle: (delivery: Delivery) => Promise<void>;
  readonly #running = new Set<Promise<void>>();
  readonly #closing = new AbortController();
  readonly #ended: Promise<void>;
  /** Rejects when the subscription is given up: a server that says nothing is not waited for. */
  readonly #givenUp: Promise<never>;
  readonly #silenceMs: number;
  #messages: ConsumerMessages | undefined;

  constructor(
    context: WorkerContext,
    subscription: CheckedSubscription,
    handle: (delivery: Delivery) => Promise<void>,
  ) {
    this.#context = context;
    this.#subscription = subscription;
    this.#handle = handle;
    this.#silenceMs = Math.min(subscription.ackWaitMs, context.maxSilenceMs);
    this.#givenUp = new Promise((_, reject) => {
      this.#closing.signal.addEventListener("abort", () => reject(new Error("The subscription was closed")));
    });
    this.#givenUp.catch(() => undefined);
    this.#ended = this.#work();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#messages?.stop();
    await this.#ended;
    const late = (): Error => new Error("Handlers still run");
    await withDeadline(this.#subscription.ackWaitMs, late, () => Promise.all(this.#running)).catch(() => undefined);
  }

  async #work(): Promise<void> {
    const { signal } = this.#closing;
    const { group } = this.#subscription;
    for (let failures = 0; !signal.aborted; ) {
      try {
        const consumer = await Promise.race([this.#consumer(), this.#givenUp]);
        failures = 0;
        await this.#pull(consumer);
      } catch (error) {
        if (signal.aborted) return;
        if (failures === 0) this.#context.log.warn({ group, err: error }, "subscription interrupted, trying on");
        failures = Math.min(failures + 1, 10);
        await pause(Math.min(maxRetryMs, 50 * 2 ** failures), undefined, { signal }).catch(() => undefined);
      }
    }
  }

  /** The group's durable consumer, made or changed where that is needed. */
  async #consumer(): Promise<Consumer> {
    const { link, stream } = this.#context;
    const { group, subjects } = this.#subscription;
    await stream.ensure();
    const manager = await stream.manager();
    const info = await manager.consumers.add(stream.name, {
      durable_name: group,
      filter_subjects: [...subjects],
      deliver_policy: DeliverPolicy.All,
      ack_policy: AckPolicy.Explicit,
      ack_wait: nanos(this.#silenceMs),
      max_ack_pending: maxPending,
      // The server would drop an event in silence after its last delivery; here it is handed over as a dead letter first.
      max_deliver: -1,
    });
    return jetstream(await link.connection()).consumers.getConsumerFromInfo(info);
  }

  async #pull(consumer: Consumer): Promise<void> {
    const { concurrency } = this.#subscription;
    while (!this.#closing.signal.aborted) {
      await this.#room();
      const messages = await consumer.fetch({
        max_messages: concurrency - this.#running.size,
        expires: fetchMs,
        idle_heartbeat: heartbeatMs,
      });
      this.#messages = messages;
      if (this.#closing.signal.aborted) messages.stop();
      for await (const message of messages) {
        // After a reconnection more may come than was asked for.
        await this.#room();
        this.#start(message);
      }
    }
  }

  async #room(): Promise<void> {
    while (this.#running.size >= this.#subscription.concurrency) await Promise.race(this.#running);
  }

  #start(message: JsMsg): void {
    const run = this.#deliver(message)
      .catch((error: unknown) => {
        // The event was not answered for, so it comes again.
        this.#context.log.warn({ group: this.#subscription.group, err: error }, "event not answered for");
      })
      .finally(() => this.#running.delete(run));
    this.#running.add(run);
  }

  /** Fails where the bus is away: the message then comes again. */
  async #park({ subject, seq, time, data }: JsMsg): Promise<void> {
    const { group } = this.#subscription;
    const { log, parking } = this.#context;
    // The number alone begins anew with a new stream.
    const id = `unreadable-${seq}-${time.getTime()}`;
    log.error({ group, subject, sequence: seq }, "message is no event, given up");
    await recorded(this.#subscription, () => parking.parkUnreadable(group, { id, subject, time, body: data }));
  }

  async #deliver(message: JsMsg): Promise<void> {
    const event = decodeMessage(message);
    if (event === undefined) {
      await this.#park(message);
      return message.term("not an event");
    }
    if (!isFor(this.#subscription.group, event)) return message.ack();
    const alive = setInterval(() => message.working(), this.#silenceMs / 3);
    try {
      const delivery = { event, attempt: message.info.deliveryCount };
      const outcome = await deliver(this.#subscription, this.#handle, delivery, this.#context);
      if (outcome === "handled") message.ack();
      else if (outcome === "dead") message.term("dead letter");
      else message.nak(outcome.againAfterMs);
    } finally {
      clearInterval(alive);
    }
  }
}
