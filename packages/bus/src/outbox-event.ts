import type { Event } from "./port.ts";

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
};
/** An event that the bus accepted, kept in case the bus loses it. */
export type KeptEvent = OutboxEvent & { readonly relayedAt: Date; readonly generation: string };
export type Outbox = { readonly pending?: readonly OutboxEvent[]; readonly kept?: readonly KeptEvent[] };

export interface OutboxDocument {
  readonly _id: string | number;
  readonly outbox?: Outbox;
}

/** Indexes that a collection with outboxes needs. */
export const outboxIndexes = [
  { name: "outbox_pending", keys: [["outbox.pending.id", 1]] },
  { name: "outbox_generation", keys: [["outbox.kept.generation", 1]] },
  { name: "outbox_relayed", keys: [["outbox.kept.relayedAt", 1]] },
] as const;

/** What to push to `outbox.pending` in the write that the event tells of. */
export function pendingEvent(event: Event): OutboxEvent {
  const { data, traceparent, ...told } = event;
  return { ...told, data: JSON.stringify(data), ...(traceparent === undefined ? {} : { traceparent }) };
}
