import type { Again, Event } from "./port.ts";

/**
 * An event as it waits in the document whose change it tells, recorded in the same write. A type alias, so that it is a
 * value of the document store.
 */
export type OutboxEvent = {
  readonly id: string;
  readonly subject: string;
  readonly source: string;
  readonly about: string;
  readonly time: Date;
  /** JSON text, since keys of the data need not keep the store's rule for keys. */
  readonly data: string;
  readonly traceparent?: string;
  readonly again?: Again;
};
/** An event that the bus accepted, as documents held it themselves before there was a collection for it. */
export type KeptEvent = OutboxEvent & { readonly relayedAt: Date; readonly generation: string };
export type Outbox = { readonly pending?: readonly OutboxEvent[]; readonly kept?: readonly KeptEvent[] };

export interface OutboxDocument {
  readonly _id: string | number;
  readonly outbox?: Outbox;
}

/** Indexes that a collection with outboxes needs. */
export const outboxIndexes = [
  { name: "outbox_pending", keys: [["outbox.pending.id", 1]] },
  { name: "outbox_relayed", keys: [["outbox.kept.relayedAt", 1]] },
] as const;

/**
 * An event that the bus accepted, kept in case the bus loses it. Apart from the documents, whose size must not depend on
 * how often they change.
 */
export interface RelayedEvent extends KeptEvent {
  /** What tells the event from its repetitions. */
  _id: string;
  /** The collection whose outbox it was in. */
  readonly from: string;
}

/** The collection in which a service keeps what its relays have sent. */
export const relayedEventsSpec = {
  name: "relayed_events",
  indexes: [
    {
      name: "lost",
      keys: [
        ["from", 1],
        ["generation", 1],
        ["relayedAt", 1],
      ],
    },
    {
      name: "age",
      keys: [
        ["from", 1],
        ["relayedAt", 1],
      ],
    },
  ],
} as const;

/** What to push to `outbox.pending` in the write that the event tells of. */
export function pendingEvent(event: Event): OutboxEvent {
  const { data, traceparent, again, ...told } = event;
  return {
    ...told,
    data: JSON.stringify(data),
    ...(traceparent === undefined ? {} : { traceparent }),
    ...(again === undefined ? {} : { again }),
  };
}

/** What `pendingEvent` was given. */
export function eventOf({ id, subject, source, about, time, data, traceparent, again }: OutboxEvent): Event {
  return {
    id,
    subject,
    source,
    about,
    time,
    data: JSON.parse(data),
    ...(traceparent === undefined ? {} : { traceparent }),
    ...(again === undefined ? {} : { again }),
  };
}
