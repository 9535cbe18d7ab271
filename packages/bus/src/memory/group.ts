import { AsyncResource } from "node:async_hooks";
import { withDeadline } from "../deadline.ts";
import { deliver } from "../delivery.ts";
import type { BusLog, Delivery, Event, Redelivery } from "../port.ts";
import type { CheckedSubscription } from "../rules.ts";

/** One event on its way to one group. */
interface Item {
  readonly copy: () => Event;
  readonly settle: () => void;
  attempt: number;
  cause?: unknown;
}

interface Member {
  readonly subscription: CheckedSubscription;
  readonly handle: (delivery: Delivery) => Promise<void>;
  readonly running: Set<Promise<void>>;
}

/** A consumer group: one queue, taken from by all of its subscriptions; it stays when they have closed. */
export class Group {
  readonly #redelivery: Redelivery;
  readonly #log: BusLog;
  readonly #waiting: Item[] = [];
  readonly #pauses = new Set<NodeJS.Timeout>();
  readonly #members = new Set<Member>();
  #subjects: readonly string[] = [];

  constructor(redelivery: Redelivery, log: BusLog) {
    this.#redelivery = redelivery;
    this.#log = log;
  }

  get subjects(): readonly string[] {
    return this.#subjects;
  }

  /** Resolves once the event was handled or given up; stays pending while no subscription is open. */
  take(copy: () => Event): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ copy, settle: resolve, attempt: 1 });
      this.#dispatch();
    });
  }

  /** @returns how to end the subscription */
  join(subscription: CheckedSubscription, handle: (delivery: Delivery) => Promise<void>): () => Promise<void> {
    // The publisher's asynchronous context (its caller, its trace) must not become the handler's.
    const member: Member = { subscription, handle: AsyncResource.bind(handle), running: new Set() };
    this.#subjects = subscription.subjects;
    this.#members.add(member);
    this.#dispatch();
    return async () => {
      this.#members.delete(member);
      const late = (): Error => new Error("Handlers still run");
      await withDeadline(subscription.ackWaitMs, late, () => Promise.all(member.running)).catch(() => undefined);
    };
  }

  /** Ends the pauses; what waits is never delivered. */
  stop(): void {
    for (const pause of this.#pauses) clearTimeout(pause);
    this.#pauses.clear();
    this.#waiting.length = 0;
  }

  #dispatch(): void {
    for (const member of this.#members) {
      while (member.running.size < member.subscription.concurrency) {
        const item = this.#waiting.shift();
        if (item === undefined) return;
        const run: Promise<void> = this.#deliver(member, item).finally(() => {
          member.running.delete(run);
          this.#dispatch();
        });
        member.running.add(run);
      }
    }
  }

  async #deliver(member: Member, item: Item): Promise<void> {
    const delivery = { event: item.copy(), attempt: item.attempt };
    const context = { redelivery: this.#redelivery, log: this.#log, cause: item.cause };
    const outcome = await deliver(member.subscription, member.handle, delivery, context);
    if (typeof outcome === "string") return item.settle();
    const pause = setTimeout(() => {
      this.#pauses.delete(pause);
      this.#waiting.push({ ...item, attempt: item.attempt + 1, cause: outcome.cause });
      this.#dispatch();
    }, outcome.againAfterMs);
    this.#pauses.add(pause);
  }
}
