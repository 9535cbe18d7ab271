import { changeTypes } from "@registry/domain";
import { z } from "zod";

/** What is told of webhooks and what they send: for the documentation, and for the tests that hold answers against it. */
const text = z.string();
const time = z.string().meta({ format: "date-time" });
const nullable = text.nullable();

/** What happens to a webhook alone. */
const ping = "ping";

export const webhookSchema = z
  .object({
    id: text,
    owner: nullable.describe("Username; null for an organisation's"),
    organisation: nullable,
    url: text,
    description: text,
    events: z.array(z.enum(changeTypes)).describe("Types of events that it is told of; empty: all"),
    plugins: z.array(text).describe("Names, or `@namespace/*`, that it is told of; empty: all"),
    state: z
      .enum(["active", "paused", "failing", "gone"])
      .describe(
        "`paused` by hand, or switched off because it failed for long (`failing`) or its receiver answered 410 (`gone`)",
      ),
    failing_since: time.nullable().describe("Since when nothing but failures came back; null while it works"),
    old_secret_until: time.nullable().describe("Until when the secret before the last rotation signs as well"),
    created_by: text,
    created_at: time.nullable(),
    updated_at: time.nullable(),
  })
  .meta({ id: "Webhook", description: "A URL that is told what happens" });

export const secretWebhookSchema = webhookSchema
  .extend({ secret: text.describe("Signs what is sent; shown this once") })
  .meta({ id: "WebhookWithSecret" });

const attemptSchema = z
  .object({
    time: time.nullable(),
    status: z.int().nullable().describe("HTTP status; null where there was no answer"),
    duration_ms: z.int().min(0),
    error: nullable.describe(
      "Null where it arrived; else such as `timed out`, `address not allowed` or `answered 500`",
    ),
  })
  .meta({ id: "WebhookAttempt" });

export const deliverySchema = z
  .object({
    id: text.describe("Also the header `webhook-id`, the same in every attempt"),
    type: z.enum([...changeTypes, ping]),
    plugin: nullable,
    version: nullable,
    time: time.nullable().describe("When it happened"),
    state: z
      .enum(["pending", "delivered", "failed", "cancelled"])
      .describe(
        "`failed`: tried as often as it is worth; `cancelled`: the webhook was switched off, or may not be told any more",
      ),
    created_at: time.nullable(),
    next_attempt_at: time.nullable().describe("Of pending ones"),
    attempts: z.array(attemptSchema).describe("The latest 30"),
  })
  .meta({ id: "WebhookDelivery", description: "What was sent to a webhook, or is to be" });
