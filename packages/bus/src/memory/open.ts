import { unavailable } from "@registry/domain";
import type { DeliveryContext } from "../delivery.ts";
import { Parking, type ParkingOptions } from "../parking.ts";
import type { Bus, BusLog, Delivery, Event, GroupLag, Redelivery, SubscribeOptions, Subscription } from "../port.ts";
import { checkSubjects, checkSubscription, encodeData, isFor, matches, messageIdOf } from "../rules.ts";
import { Subscriptions } from "../subscriptions.ts";
import { Group } from "./group.ts";

export interface InProcessBusOptions extends ParkingOptions {
  readonly log: BusLog;
  readonly redelivery?: Redelivery;
  /**
   * Resolves when everything in this process that will subscribe has subscribed; no event is delivered before.
   * Without it, an event that is published before a group's first subscription does not reach that group.
   */
  readonly ready?: Promise<unknown>;
}

/**
 * A bus for one process, without storage of its own: its durability is the publisher's outbox. So `publish` resolves
 * only when every group that subscribed to the event has handled it or given it up; an event whose `publish` never
 * resolved is published again after a restart, and groups that had handled it see it twice. A poison event keeps only
 * its own `publish` waiting (up to `maxDeliver` handlings and pauses): have several events under way at once.
 * The same id published again while it is under way joins that publication.
 */
export function createInProcessBus(options: InProcessBusOptions): Bus {
  return new InProcessBus(options);
}

interface Tap {
  readonly subjects: readonly string[];
  readonly handle: (event: Event) => void;
}

class InProcessBus implements Bus {
  readonly #log: BusLog;
  readonly #context: DeliveryContext;
  readonly #ready: Promise<unknown> | undefined;
  readonly #groups = new Map<string, Group>();
  readonly #taps = new Set<Tap>();
  readonly #subscriptions = new Subscriptions();
  readonly #underWay = new Map<string, PromiseWithResolvers<void>>();
  #open = true;

  constructor(options: InProcessBusOptions) {
    this.#log = options.log;
    const parking = new Parking((event) => this.publish(event), options);
    this.#context = { redelivery: options.redelivery ?? {}, log: options.log, parking };
    this.#ready = options.ready;
    this.#ready?.catch(() => undefined);
  }

  async publish(event: Event): Promise<void> {
    const body = encodeData(event);
    this.#checkOpen();
    const id = messageIdOf(event);
    let publication = this.#underWay.get(id);
    if (publication === undefined) {
      publication = Promise.withResolvers<void>();
      this.#underWay.set(id, publication);
      this.#accept({ ...event }, body)
        .then(publication.resolve, publication.reject)
        .finally(() => this.#underWay.delete(id));
    }
    await publication.promise;
  }

  async #accept(event: Event, body: string): Promise<void> {
    if (this.#ready !== undefined) {
      await this.#ready.catch((error: unknown) => {
        throw unavailable("The event bus", error);
      });
    }
    const copy = (): Event => ({ ...event, time: new Date(event.time), data: JSON.parse(body) });
    for (const tap of this.#taps) {
      if (matches(tap.subjects, event.subject) && isFor(undefined, event)) this.#tell(tap, copy());
    }
    const groups = [...this.#groups.values()].filter(
      (group) => matches(group.subjects, event.subject) && isFor(group.name, event),
    );
    await Promise.all(groups.map((group) => group.take(copy)));
  }

  #tell(tap: Tap, event: Event): void {
    try {
      tap.handle(event);
    } catch (error) {
      this.#log.warn({ eventId: event.id, subject: event.subject, err: error }, "tap failed");
    }
  }

  async subscribe(options: SubscribeOptions, handle: (delivery: Delivery) => Promise<void>): Promise<Subscription> {
    const subscription = checkSubscription(options);
    this.#checkOpen();
    const group = this.#groups.get(subscription.group) ?? new Group(subscription.group, this.#context);
    this.#groups.set(subscription.group, group);
    return this.#subscriptions.add(group.join(subscription, handle));
  }

  async tap(subjects: readonly string[], handle: (event: Event) => void): Promise<Subscription> {
    checkSubjects(subjects);
    this.#checkOpen();
    const tap = { subjects: [...subjects], handle };
    this.#taps.add(tap);
    return this.#subscriptions.add(async () => void this.#taps.delete(tap));
  }

  async ping(): Promise<void> {
    this.#checkOpen();
  }

  /** Always the same: nothing that was accepted can be lost. */
  async generation(): Promise<string> {
    this.#checkOpen();
    return "in-process";
  }

  async lag(): Promise<GroupLag[]> {
    this.#checkOpen();
    return [...this.#groups.values()].map(({ lag }) => lag);
  }

  async close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await this.#subscriptions.closeAll();
    for (const group of this.#groups.values()) group.stop();
    for (const publication of this.#underWay.values()) publication.reject(unavailable("The event bus"));
  }

  #checkOpen(): void {
    if (!this.#open) throw unavailable("The event bus");
  }
}
