import type { Delivery } from "@registry/contracts/webhooks";
import { z } from "zod";
import { integerParameter, textParameter } from "../input.ts";
import { nextPage } from "../pages.ts";
import type { Parts } from "../parts.ts";
import { defineRoute, json, type Route } from "../route.ts";
import { deliverySchema } from "../webhook-schemas.ts";
import { orNull, timeText } from "../words.ts";
import { webhooksTag, webhooksUrl } from "./webhooks.ts";

function deliveryFields(delivery: Delivery | undefined): object {
  if (delivery === undefined) throw new TypeError("analytics answered without a delivery");
  const { id, type, plugin, version, time, state, createdAt, nextAttemptAt, attempts } = delivery;
  return {
    ...{ id, type, plugin: orNull(plugin), version: orNull(version), time: timeText(time), state },
    created_at: timeText(createdAt),
    next_attempt_at: timeText(nextAttemptAt),
    attempts: attempts.map(({ time: at, status, durationMs, error }) => ({
      time: timeText(at),
      status: status === 0 ? null : status,
      duration_ms: durationMs,
      error: orNull(error),
    })),
  };
}

/** What webhooks were told, and telling it again. */
export function webhookDeliveryRoutes({ webhooks }: Parts): Route[] {
  const common = { tag: webhooksTag, access: "users" } as const;
  const url = `${webhooksUrl}/:id/deliveries`;
  const sent = { 202: { description: "The delivery, about to be sent", schema: deliverySchema } };
  return [
    defineRoute({
      ...common,
      method: "POST",
      url: `${webhooksUrl}/:id/test`,
      summary: "Send a `ping`, once, to see whether a webhook works",
      answers: sent,
      async handle({ params: { id = "" }, context }) {
        return json(deliveryFields((await webhooks.testWebhook({ id }, { context })).delivery), { status: 202 });
      },
    }),
    defineRoute({
      ...common,
      method: "GET",
      url,
      summary: "What was sent to a webhook, or is to be, with every attempt; newest first",
      query: z.object({ limit: integerParameter(1, 500, 50), cursor: textParameter(200, "^[A-Za-z0-9_-]*$") }),
      answers: {
        200: {
          description: "`next_cursor` is null on the last page; `Link` has its address",
          headers: ["Link"],
          schema: z.object({ deliveries: z.array(deliverySchema), next_cursor: z.string().nullable() }),
        },
      },
      async handle({ params: { id = "" }, query: { limit, cursor = "" }, origin, context }) {
        const page = { pageSize: limit, pageToken: cursor };
        const { deliveries, nextPageToken } = await webhooks.listDeliveries({ webhookId: id, page }, { context });
        const path = `${webhooksUrl}/${encodeURIComponent(id)}/deliveries`;
        return json(
          { deliveries: deliveries.map(deliveryFields), next_cursor: orNull(nextPageToken) },
          { headers: nextPage(origin, path, { limit: String(limit) }, nextPageToken) },
        );
      },
    }),
    defineRoute({
      ...common,
      method: "POST",
      url: `${url}/:delivery/redeliver`,
      summary: "Send a delivery again under the same `webhook-id`, at once and, should it fail, as often as a new one",
      answers: sent,
      async handle({ params: { id = "", delivery: deliveryId = "" }, context }) {
        const { delivery } = await webhooks.redeliver({ webhookId: id, deliveryId }, { context });
        return json(deliveryFields(delivery), { status: 202 });
      },
    }),
  ];
}
