/**
 * The port for events. The truth is the pending event in the publisher's store (outbox); the bus only carries it,
 * at least once, to every consumer group that exists.
 *
 * Guarantees that every adapter gives, and that the conformance suite checks:
 * - `publish` resolves once the bus has accepted the event: from then on every durable consumer group sees it at least
 *   once, also after a restart of its processes;
 * - within one consumer group one process handles an event at a time; a handler that throws (or takes longer than
 *   `ackWaitMs`, though nothing stops it then) gets the event again after a growing pause, up to `maxDeliver` times, then
 *   the event is parked once and other events pass meanwhile;
 * - a process that dies while it handles an event has used up one of the deliveries; one that has used up the last
 *   is parked by another, which does not handle it again;
 * - an event whose data is malformed is parked at once, as is what came that is no event at all: it can be looked at;
 * - a parked event is published whole under `registry.deadletters.event.parked`, and stays undelivered where that fails;
 *   one that was delivered again by hand and handled is told of under `registry.deadletters.event.settled`;
 * - publishing the same `id` again within two minutes (or as the adapter is told) is accepted and may be dropped, but not with another `again`;
 * - handlers and taps get a JSON copy of their own;
 * - every call is bounded in time and fails with kind `unavailable` when the bus is away; subscriptions outlive that;
 * - order is kept per publisher in the usual case but not promised: events carry the revision of what they tell.
 */
export interface Event {
  /** Unique for ever: `ce-id`. 1 to 200 printable ASCII characters without spaces. */
  readonly id: string;
  /** `registry.<area>.<thing>.<past-tense>` of `a-z0-9_-`: subject and `ce-type` alike. */
  readonly subject: string;
  /** `/services/catalog` and the like: `ce-source`. */
  readonly source: string;
  /** When it happened: `ce-time`. */
  readonly time: Date;
  /** What it happened to: `ce-subject`, e.g. the plugin's name, up to 256 characters. Empty where nothing fits. */
  readonly about: string;
  /** JSON of the protobuf message that the subject's row in the contracts names, up to 512 KiB and 100 levels. */
  readonly data: unknown;
  /** W3C trace context, if the publisher had one. */
  readonly traceparent?: string;
  /** Set where the event is sent once more on purpose. */
  readonly again?: Again;
}

/** How an event is sent once more: its id stays, since handlers are idempotent by it. A type alias, as a value of stores. */
export type Again = {
  /** New with each intention, so that the bus does not take it for a repetition. 1 to 100 printable ASCII characters. */
  readonly key: string;
  /** The one group that is to handle it; all others, and taps, pass it over. */
  readonly group?: string;
  /** Deliveries that this group has used up before. */
  readonly attempts?: number;
};

export interface Delivery {
  readonly event: Event;
  /** 1 on the first delivery. */
  readonly attempt: number;
}

export interface SubscribeOptions {
  /** Durable consumer group, `[a-z][a-z0-9-]*`; each group sees every event, one process of it handles each. */
  readonly group: string;
  /** Exact subjects, or prefixes that end with `.>`; none may cover another. The latest subscription of a group says which. */
  readonly subjects: readonly string[];
  /** Time that a handler has for one delivery, 10 to 3600000. Default 30000. */
  readonly ackWaitMs?: number;
  /** 1 to 1000. Default 10. */
  readonly maxDeliver?: number;
  /** Handled at once by this subscription, 1 to 1000. Default 16. */
  readonly concurrency?: number;
  /**
   * Told, instead of the event being parked, once it has used up its deliveries; for the group that stores parked events.
   * If it throws, the event stays undelivered and is tried again later.
   */
  readonly onDeadLetter?: (delivery: Delivery, cause: unknown) => Promise<void>;
}

export interface Subscription {
  /** Takes no new events, waits for handlers under way (at most `ackWaitMs`), then frees everything. */
  close(): Promise<void>;
}

/** Events of one group that it has not handled, each counted once. */
export interface GroupLag {
  readonly group: string;
  /** Not delivered yet; on a bus that other groups share, events that do not concern it may be among them. */
  readonly waiting: number;
  /** Delivered and not answered for: being handled, or pausing after a failure. */
  readonly underWay: number;
}

export interface Bus {
  /**
   * @throws kind `invalid_argument`, reason `INVALID_EVENT`, where the event can never be carried
   * @throws kind `unavailable` where the bus is away: the event may have been accepted or not, publish it again
   */
  publish(event: Event): Promise<void>;
  /**
   * Resolves at once, also where the bus is away: the subscription begins when it is back.
   * @throws kind `invalid_argument`, reason `INVALID_SUBSCRIPTION`
   */
  subscribe(options: SubscribeOptions, handle: (delivery: Delivery) => Promise<void>): Promise<Subscription>;
  /**
   * A subscription that every process gets for itself, from now on, without redelivery; for caches and live streams.
   * What passes while the bus is away is missed. A handler that throws is logged, no more.
   */
  tap(subjects: readonly string[], handle: (event: Event) => void): Promise<Subscription>;
  /** Resolves if the bus answers; fails with kind `unavailable` otherwise. */
  ping(): Promise<void>;
  /**
   * Changes whenever the bus may have lost what it had accepted (a new stream, lost data): the relay then sends its kept
   * events again.
   */
  generation(): Promise<string>;
  /**
   * How far every group of the registry is behind, also those of other processes.
   * @throws kind `unavailable`
   */
  lag(): Promise<GroupLag[]>;
  /** Closes every subscription, then the connection; calls after it fail with kind `unavailable`. */
  close(): Promise<void>;
}

/** Where a bus tells of what nobody waits for; the registry's logger is one. */
export interface BusLog {
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}

/** Pauses between deliveries of one event to one group: `baseMs`, doubled after each one, up to `maxMs`. */
export interface Redelivery {
  /** Default 1000. */
  readonly baseMs?: number;
  /** Default 60000. */
  readonly maxMs?: number;
}
