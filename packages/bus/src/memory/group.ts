import { AsyncResource } from "node:async_hooks";
import { withDeadline } from "../deadline.ts";
import { type DeliveryContext, deliver } from "../delivery.ts";
import type { Delivery, Event, GroupLag } from "../port.ts";
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
  readonly #name: string;
  readonly #context: DeliveryContext;
  readonly #waiting: Item[] = [];
  readonly #pauses = new Set<NodeJS.Timeout>();
  readonly #members = new Set<Member>();
  #subjects: readonly string[] = [];

  constructor(name: string, context: DeliveryContext) {
    this.#name = name;
    this.#context = context;
  }

  get name(): string {
    return this.#name;
  }

  get lag(): GroupLag {
    const running = [...this.#members].reduce((sum, member) => sum + member.running.size, 0);
    // What comes again has been delivered; it is no longer behind those that wait for the first time.
    const again = this.#waiting.filter(({ attempt }) => attempt > 1).length;
    return {
      group: this.#name,
      waiting: this.#waiting.length - again,
      underWay: running + this.#pauses.size + again,
    };
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
    const context = { ...this.#context, cause: item.cause };
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
