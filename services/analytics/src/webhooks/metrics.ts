import type { Metrics } from "@registry/kit";
import { Counter, Gauge, Histogram } from "prom-client";
import type { FailureWord } from "./sending/failure.ts";

/** What came of one attempt, or of a delivery without one. */
type Outcome =
  | "delivered"
  | "failed_answer"
  | "failed_timeout"
  | "failed_connection"
  | "failed_tls"
  | "failed_name"
  | "failed_address"
  | "failed_secret"
  | "given_up"
  | "cancelled";

const outcomes: { readonly [word in FailureWord]: Outcome } = {
  "timed out": "failed_timeout",
  "connection failed": "failed_connection",
  "tls failed": "failed_tls",
  "name not found": "failed_name",
  "address not allowed": "failed_address",
  "secret unreadable": "failed_secret",
};

export const outcomeOf = (word: FailureWord): Outcome => outcomes[word];

/** No label tells which webhook. */
export interface WebhookMetrics {
  readonly deliveries: Counter<"outcome">;
  readonly attemptSeconds: Histogram;
  readonly pending: Gauge;
  readonly oldestDue: Gauge;
  readonly disabled: Counter<"reason">;
}

export function createWebhookMetrics({ registry }: Metrics): WebhookMetrics {
  const registers = [registry];
  return {
    deliveries: new Counter({
      name: "registry_webhook_deliveries_total",
      help: "Attempts to deliver to webhooks by what came of them, and deliveries that were given up or cancelled",
      labelNames: ["outcome"] as const,
      registers,
    }),
    attemptSeconds: new Histogram({
      name: "registry_webhook_attempt_duration_seconds",
      help: "From the look at a receiver's name to the end of its answer",
      buckets: [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30],
      registers,
    }),
    pending: new Gauge({
      name: "registry_webhook_pending",
      help: "Deliveries to webhooks that have neither arrived nor been given up",
      registers,
    }),
    oldestDue: new Gauge({
      name: "registry_webhook_oldest_due_seconds",
      help: "How long the registry has kept what webhooks are to be told without anybody working on it, those aside that fail; 0 where nothing waits",
      registers,
    }),
    disabled: new Counter({
      name: "registry_webhook_disabled_total",
      help: "Webhooks that were switched off, by why: failing, gone",
      labelNames: ["reason"] as const,
      registers,
    }),
  };
}
