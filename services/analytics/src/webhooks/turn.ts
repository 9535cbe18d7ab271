import { setTimeout as pause } from "node:timers/promises";
import type { Gate } from "@registry/kit";
import type { Courier } from "./courier.ts";
import type { Delivery } from "./model/delivery.ts";
import type { Webhook } from "./model/webhook.ts";
import type { WorkParts } from "./parts.ts";

/** Beside the time of an attempt: for asking auth and catalog, and for clocks that differ. */
const leaseMarginMs = 40_000;
const atOnce = 20;
const mostAtOnce = 4;
/** How soon what became due is seen while others are under way. */
const lookEveryMs = 250;
/** After so long others have their turn. */
const turnMs = 5000;
const mostRounds = 100;
/** After a fault of ours, e.g. a store that is away. */
const pauseMs = 5000;

export interface TurnMeans {
  readonly courier: Courier;
  /** Over all webhooks of this process. */
  readonly gate: Gate;
  /** Nothing more is begun. */
  readonly stopping: AbortSignal;
  /** What is under way is given up. */
  readonly ending: AbortSignal;
}

/**
 * The time in which one replica, and no other, works on the deliveries of one webhook. What a process that dies leaves is
 * taken up by another once its lease is over.
 */
export class Turn {
  readonly #parts: WorkParts;
  readonly #means: TurnMeans;
  readonly #id: string;
  readonly #worker: string;
  readonly #began = performance.now();
  #lost = false;
  #trouble: unknown;

  /** @param id of the webhook */
  constructor(parts: WorkParts, means: TurnMeans, id: string) {
    this.#parts = parts;
    this.#means = means;
    this.#id = id;
    this.#worker = parts.ids.unique();
  }

  /** Fails never. @returns what went wrong here, not at the receiver; undefined where nothing did */
  async take(): Promise<unknown> {
    const { webhooks, clock } = this.#parts;
    try {
      const leased = await webhooks.lease(this.#id, this.#worker, clock.now(), this.#until());
      if (leased !== null) await this.#work(leased);
    } catch (error) {
      this.#trouble = error;
    }
    if (this.#trouble !== undefined) {
      const dueAt = new Date(clock.now().getTime() + pauseMs);
      await webhooks.leave(this.#id, this.#worker, dueAt).catch(() => undefined);
    }
    return this.#trouble;
  }

  async #work(leased: Webhook): Promise<void> {
    const { webhooks, deliveries, clock } = this.#parts;
    let webhook: Webhook | null = leased;
    for (let round = 0; round < mostRounds && webhook !== null && !this.#isOver(); round++) {
      if (webhook.state !== "active") await deliveries.cancelAll(this.#id);
      const { restUntil } = webhook;
      if (restUntil !== undefined && restUntil > clock.now()) {
        if (await webhooks.release(webhook, restUntil)) return;
      } else {
        const due = await deliveries.due(this.#id, clock.now(), atOnce);
        if (due.length === 0 && (await webhooks.release(webhook, await deliveries.nextAt(this.#id)))) return;
        await this.#carryAll(due, webhook.failingSince === undefined ? this.#width : 1);
      }
      webhook = await webhooks.renew(this.#id, this.#worker, this.#until());
    }
    if (webhook !== null && this.#trouble === undefined) await webhooks.leave(this.#id, this.#worker, clock.now());
  }

  /** What becomes due meanwhile takes the room that is left: it does not wait for a receiver that hangs on the others. */
  async #carryAll(due: readonly Delivery[], width: number): Promise<void> {
    const waiting = [...due];
    const seen = new Set(due.map(({ _id }) => _id));
    const underWay = new Set<Promise<void>>();
    while (waiting.length > 0 || underWay.size > 0) {
      for (const delivery of waiting.splice(0, width - underWay.size)) {
        const carried = this.#carry(delivery).finally(() => underWay.delete(carried));
        underWay.add(carried);
      }
      const looks = underWay.size < width && !this.#isOver();
      await this.#oneOf(underWay, looks);
      if (!looks) continue;
      const fresh = (await this.#due()).filter(({ _id }) => !seen.has(_id));
      for (const delivery of fresh) seen.add(delivery._id);
      waiting.push(...fresh);
    }
  }

  /** Until the first one ends, or it is time to look for more. */
  async #oneOf(underWay: ReadonlySet<Promise<void>>, looks: boolean): Promise<void> {
    if (!looks) return await Promise.race(underWay);
    const waited = new AbortController();
    const moment = pause(lookEveryMs, undefined, { signal: waited.signal }).catch(() => undefined);
    await Promise.race([...underWay, moment]);
    waited.abort();
  }

  /** Fails never, as `#carry`: what is under way is seen to its end first. */
  async #due(): Promise<Delivery[]> {
    const { deliveries, clock } = this.#parts;
    try {
      return await deliveries.due(this.#id, clock.now(), atOnce);
    } catch (error) {
      this.#trouble ??= error;
      return [];
    }
  }

  /** Fails never, since others are under way beside it. */
  async #carry(delivery: Delivery): Promise<void> {
    const { gate, stopping } = this.#means;
    if (this.#isOver()) return;
    try {
      await gate.run(stopping, () => this.#deliver(delivery));
    } catch (error) {
      if (!stopping.aborted) this.#trouble ??= error;
    }
  }

  async #deliver(delivery: Delivery): Promise<void> {
    const { webhooks, deliveries, sights, metrics, clock } = this.#parts;
    if (this.#isCut()) return;
    const until = this.#until();
    const webhook = await webhooks.renew(this.#id, this.#worker, until);
    if (webhook === null) {
      this.#lost = true;
      return;
    }
    if (webhook.restUntil !== undefined && webhook.restUntil > clock.now()) return;
    const told = isWanted(webhook, delivery) ? await sights.among(webhook, [delivery], this.#means.ending) : [];
    if (told.length === 0) {
      await deliveries.withhold(delivery);
      metrics.deliveries.inc({ outcome: "cancelled" });
      return;
    }
    // The lease has to last for as long as the attempt may.
    if (until.getTime() - clock.now().getTime() < leaseMarginMs / 4 + this.#timeoutMs) return;
    await this.#means.courier.attempt(webhook, delivery, this.#means.ending);
  }

  /** Nothing more is begun. */
  #isOver(): boolean {
    return performance.now() - this.#began > turnMs || this.#isCut();
  }

  #isCut(): boolean {
    return this.#lost || this.#trouble !== undefined || this.#means.stopping.aborted;
  }

  get #width(): number {
    return Math.min(mostAtOnce, Math.ceil(this.#parts.config.WEBHOOK_CONCURRENCY / 8));
  }

  get #timeoutMs(): number {
    return this.#parts.config.WEBHOOK_TIMEOUT_SECONDS * 1000;
  }

  #until(): Date {
    return new Date(this.#parts.clock.now().getTime() + this.#timeoutMs + leaseMarginMs);
  }
}

/** Whoever switched the webhook off, and on again, does not want what happened meanwhile, unless it is asked for by name. */
function isWanted({ state, from }: Webhook, { type, number, again }: Delivery): boolean {
  return type === "ping" || (state === "active" && (number > from || again > 0));
}
