import type { OutboxDocument, RelayedEvent } from "./outbox-event.ts";

type Key = string | number;
type Range<T> = { readonly $gt: T } | { readonly $gte: T } | { readonly $lt: T };
type OutboxFilter =
  | { readonly _id: Key }
  | { readonly "outbox.pending.id": Range<string> }
  | { readonly "outbox.kept.relayedAt": Range<Date> };
type OutboxUpdate = {
  readonly $pull:
    | { readonly "outbox.pending": { readonly id: string; readonly "again.key": string | { readonly $exists: false } } }
    | { readonly "outbox.kept": { readonly id: { readonly $in: readonly string[] } } };
};

/** The part of a collection that the relay uses; every collection of the document port has it. */
export interface OutboxCollection {
  readonly name: string;
  find(filter: OutboxFilter, options: { limit: number; fields: readonly string[] }): Promise<OutboxDocument[]>;
  countDocuments(filter: OutboxFilter): Promise<number>;
  updateOne(filter: OutboxFilter, update: OutboxUpdate): Promise<{ readonly modifiedCount: number }>;
}

type KeptFilter =
  | { readonly _id: string; readonly generation: string }
  | { readonly _id: { readonly $in: readonly string[] } }
  | {
      readonly from: string;
      readonly generation?: string | Range<string>;
      readonly relayedAt?: Range<Date>;
      readonly again?: { readonly $exists: false };
    };
type KeptUpdate = { readonly $set: { readonly generation: string } };

/** The part of the collection of relayed events that is used. */
export interface KeptCollection {
  insertNew(events: readonly RelayedEvent[]): Promise<unknown>;
  find(
    filter: KeptFilter,
    options: { limit: number; sort?: readonly (readonly ["relayedAt", 1])[]; fields?: readonly string[] },
  ): Promise<RelayedEvent[]>;
  updateOne(filter: KeptFilter, update: KeptUpdate): Promise<unknown>;
  updateMany(filter: KeptFilter, update: KeptUpdate): Promise<{ readonly modifiedCount: number }>;
  deleteMany(filter: KeptFilter): Promise<unknown>;
}
