import type { MessagePort } from "node:worker_threads";
import type { ErrorKind } from "@registry/domain";
import type { Expr } from "../model/filter.ts";
import type { SortKey } from "../model/order.ts";
import type { Step } from "../model/update.ts";
import type { CollectionSpec, Id, Scalar } from "../port.ts";
import type { CollectionInfo, Multikey } from "./schema.ts";

/** What the writer thread does; everything in it was checked by the caller's thread. Documents travel as text. */
export type Operation =
  | { readonly kind: "open"; readonly spec: CollectionSpec }
  | { readonly kind: "ping" }
  | { readonly kind: "insert"; readonly collection: string; readonly text: string }
  | { readonly kind: "insertNew"; readonly collection: string; readonly texts: readonly string[] }
  | { readonly kind: "update"; readonly collection: string; readonly filter: Expr; readonly change: Change }
  | { readonly kind: "updateEach"; readonly collection: string; readonly changes: readonly FilteredChange[] }
  | { readonly kind: "delete"; readonly collection: string; readonly filter: Expr; readonly many: boolean };

export interface Change {
  readonly content: { readonly steps: readonly Step[] } | { readonly replacement: string };
  readonly many: boolean;
  readonly sort: readonly SortKey[];
  /** Whether the document is asked for: what crosses threads is copied. */
  readonly told: boolean;
  /** See `upsertFields`; undefined where nothing is to be inserted. */
  readonly upsert: ReadonlyMap<string, Scalar> | undefined;
}
export interface FilteredChange {
  readonly filter: Expr;
  readonly change: Change;
}
export interface Changed {
  readonly matchedCount: number;
  readonly modifiedCount: number;
  readonly upsertedId: Id | undefined;
  /** The last document that matched, as it was and as it is, where it is asked for. */
  readonly before: string | undefined;
  readonly after: string | undefined;
}

export interface Results {
  open: CollectionInfo;
  ping: number;
  insert: number;
  insertNew: readonly number[];
  update: Changed;
  /** How many there were. */
  updateEach: number;
  delete: number;
}
export type ResultOf<O extends Operation> = Results[O["kind"]];

/** A failure in a form that crosses threads. */
export type Failure =
  | { readonly type: "duplicate"; readonly collection: string; readonly index: string }
  | { readonly type: "registry"; readonly kind: ErrorKind; readonly reason: string; readonly message: string }
  | { readonly type: "store"; readonly message: string };
export type Outcome = { readonly value: Results[keyof Results] } | { readonly failure: Failure };

export interface WriterData {
  readonly path: string;
  readonly multikey: Multikey;
  readonly timeoutMs: number;
}
/** Asks the thread to write for one more store, whose operations come through the port. */
export interface OpenStore {
  readonly port: MessagePort;
  readonly data: WriterData;
}
export type ToWriter = { readonly batch: readonly Operation[] } | { readonly close: true };
export type FromWriter =
  | { readonly ready: true }
  | { readonly failed: Failure }
  | { readonly outcomes: readonly Outcome[] };
