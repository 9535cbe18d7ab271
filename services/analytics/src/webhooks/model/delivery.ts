import { createHash } from "node:crypto";
import type { ChangeType } from "@registry/domain";
import type { Change } from "../../changes/model/change.ts";

/** One HTTP request and what came of it. */
export type Attempt = {
  readonly time: Date;
  /** 0 where there was no answer. */
  readonly status: number;
  readonly ms: number;
  /** Of few words, none of which is the receiver's; empty where it arrived. */
  readonly error: string;
};

export type DeliveryState = "pending" | "delivered" | "failed" | "cancelled";

/** What one webhook is told of one change. A type alias, so that it is a value of the document store. */
export type Delivery = {
  /** The header `webhook-id`: of webhook and change, so that the same one again is the same document. */
  readonly _id: string;
  readonly webhook: string;
  /** Place of the change in the feed; 0 for a ping. */
  readonly number: number;
  readonly type: ChangeType | "ping";
  readonly plugin?: string;
  readonly version?: string;
  /** When it happened. */
  readonly time: Date;
  /** What is sent, byte by byte. */
  readonly body: string;
  readonly state: DeliveryState;
  readonly createdAt: Date;
  /** Of pending ones. */
  readonly nextAt?: Date;
  /** How often it did not have to wait as long as planned, since the last time that it was asked for. */
  readonly hastened: number;
  /** How often it was asked for again. */
  readonly again: number;
  /** Attempts since then that failed. */
  readonly failures: number;
  /** The latest ones, oldest first. */
  readonly attempts: readonly Attempt[];
};

const mostAttempts = 30;

export function withAttempt({ attempts }: Delivery, attempt: Attempt): Attempt[] {
  return [...attempts, attempt].slice(-mostAttempts);
}

function deliveryId(webhook: string, event: string): string {
  const hash = createHash("sha256").update(JSON.stringify([webhook, event]));
  return `msg_${hash.digest("hex").slice(0, 40)}`;
}

export function deliveryOf(webhook: string, change: Change, now: Date): Delivery {
  const { _id: number, eventId, type, plugin, version, time, sha256 } = change;
  const about = { plugin, ...(version === undefined ? {} : { version }) };
  const data = { ...about, ...(sha256 === undefined ? {} : { sha256 }) };
  const body = bodyOf(type, time, data);
  return { ...fresh(webhook, now), _id: deliveryId(webhook, eventId), number, type, ...about, time, body };
}

/** @param unique of this ping */
export function pingOf(webhook: string, unique: string, now: Date): Delivery {
  const body = bodyOf("ping", now, { webhook });
  return { ...fresh(webhook, now), _id: deliveryId(webhook, unique), number: 0, type: "ping", time: now, body };
}

function fresh(webhook: string, now: Date) {
  return {
    webhook,
    state: "pending",
    createdAt: now,
    nextAt: now,
    hastened: 0,
    again: 0,
    failures: 0,
    attempts: [],
  } as const;
}

function bodyOf(type: string, time: Date, data: object): string {
  return JSON.stringify({ type, timestamp: time.toISOString(), data });
}
