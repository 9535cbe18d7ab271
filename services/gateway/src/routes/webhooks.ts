import type { Webhook } from "@registry/contracts/webhooks";
import { orgNamePattern } from "@registry/domain";
import { z } from "zod";
import { orEmpty, orgName } from "../forms.ts";
import { flagParameter, integerParameter, textParameter } from "../input.ts";
import { nextPage } from "../pages.ts";
import type { Parts } from "../parts.ts";
import { defineRoute, json, noContent, type Route } from "../route.ts";
import { webhookDescription, webhookEvents, webhookPlugins, webhookSecret, webhookUrl } from "../webhook-forms.ts";
import { secretWebhookSchema, webhookSchema } from "../webhook-schemas.ts";
import { orNull, timeText } from "../words.ts";

/** What every route of webhooks begins with. */
export const webhooksUrl = "/api/v1/webhooks";
export const webhooksTag = "webhooks";

const listQuery = z.object({
  organisation: textParameter(39, orEmpty(orgNamePattern)).describe("Those of an organisation; absent: one's own"),
  all: flagParameter().describe("Administrators: those of everybody"),
  limit: integerParameter(1, 500, 50),
  cursor: textParameter(32, "^(?:[0-9]{1,15}-[0-9]{1,6})?$"),
});
const createBody = z.strictObject({
  url: webhookUrl,
  organisation: orgName.optional().describe("That is to own it; absent: the caller"),
  description: webhookDescription.optional(),
  events: webhookEvents.optional(),
  plugins: webhookPlugins.optional(),
  secret: webhookSecret.optional(),
});
const updateBody = z.strictObject({
  url: webhookUrl.optional(),
  description: webhookDescription.optional(),
  events: webhookEvents.optional(),
  plugins: webhookPlugins.optional(),
  active: z
    .boolean()
    .optional()
    .describe("False pauses it: what happens meanwhile is not sent later. True switches it on whatever it was off for"),
});

function webhookFields(webhook: Webhook | undefined): object {
  if (webhook === undefined) throw new TypeError("analytics answered without a webhook");
  const { id, owner, organisation, url, description, events, plugins, state } = webhook;
  return {
    id,
    ...{ owner: orNull(owner), organisation: orNull(organisation), url, description, events, plugins, state },
    failing_since: timeText(webhook.failingSince),
    old_secret_until: timeText(webhook.oldSecretUntil),
    created_by: webhook.createdBy,
    created_at: timeText(webhook.createdAt),
    updated_at: timeText(webhook.updatedAt),
  };
}

/** URLs that are told what happens: of a user, or of an organisation. */
export function webhookRoutes(parts: Parts): Route[] {
  return [...collectionRoutes(parts), ...singleRoutes(parts), rotationRoute(parts)];
}

const common = { tag: webhooksTag, access: "users" } as const;
const one = { ...common, url: `${webhooksUrl}/:id` } as const;

function collectionRoutes({ webhooks }: Parts): Route[] {
  return [
    defineRoute({
      ...common,
      method: "GET",
      url: webhooksUrl,
      summary: "Webhooks: one's own, an organisation's, or all of them for administrators; oldest first",
      query: listQuery,
      answers: {
        200: {
          description: "`next_cursor` is null on the last page; `Link` has its address",
          headers: ["Link"],
          schema: z.object({ webhooks: z.array(webhookSchema), next_cursor: z.string().nullable() }),
        },
      },
      async handle({ query, origin, context }) {
        const { organisation = "", all = false, limit, cursor = "" } = query;
        const page = { pageSize: limit, pageToken: cursor };
        const answer = await webhooks.listWebhooks({ page, organisation, all }, { context });
        const asked = { organisation, all: all ? "true" : "", limit: String(limit) };
        return json(
          { webhooks: answer.webhooks.map(webhookFields), next_cursor: orNull(answer.nextPageToken) },
          { headers: nextPage(origin, webhooksUrl, asked, answer.nextPageToken) },
        );
      },
    }),
    defineRoute({
      ...common,
      method: "POST",
      url: webhooksUrl,
      summary: "Have a URL told what happens; the secret that signs it is shown this once",
      body: createBody,
      answers: { 201: { description: "The webhook", headers: ["Location"], schema: secretWebhookSchema } },
      async handle({ body, origin, context }) {
        const { webhook, secret } = await webhooks.createWebhook(body, { context });
        const location = `${origin}${webhooksUrl}/${webhook?.id}`;
        return json({ ...webhookFields(webhook), secret }, { status: 201, headers: { location } });
      },
    }),
  ];
}

function singleRoutes({ webhooks }: Parts): Route[] {
  return [
    defineRoute({
      ...one,
      method: "GET",
      summary: "One webhook",
      answers: { 200: { description: "The webhook", schema: webhookSchema } },
      async handle({ params: { id = "" }, context }) {
        return json(webhookFields((await webhooks.getWebhook({ id }, { context })).webhook));
      },
    }),
    defineRoute({
      ...one,
      method: "PATCH",
      summary: "Change a webhook, pause it or switch it on again; absent fields stay",
      body: updateBody,
      answers: { 200: { description: "As it is now", schema: webhookSchema } },
      async handle({ params: { id = "" }, body: { events, plugins, ...rest }, context }) {
        const lists = {
          ...(events === undefined ? {} : { events: { values: events } }),
          ...(plugins === undefined ? {} : { plugins: { values: plugins } }),
        };
        const { webhook } = await webhooks.updateWebhook({ id, ...rest, ...lists }, { context });
        return json(webhookFields(webhook));
      },
    }),
    defineRoute({
      ...one,
      method: "DELETE",
      summary: "Delete a webhook with its deliveries; nothing more is sent",
      answers: { 204: { description: "It is gone" } },
      async handle({ params: { id = "" }, context }) {
        await webhooks.deleteWebhook({ id }, { context });
        return noContent();
      },
    }),
  ];
}

function rotationRoute({ webhooks }: Parts): Route {
  return defineRoute({
    ...common,
    method: "POST",
    url: `${webhooksUrl}/:id/rotate`,
    summary: "Give a webhook a new secret, shown this once; the one before signs beside it for 24 hours",
    body: z.strictObject({ secret: webhookSecret.optional() }).optional(),
    answers: { 200: { description: "The webhook", schema: secretWebhookSchema } },
    async handle({ params: { id = "" }, body, context }) {
      const asked = { id, secret: body?.secret ?? "" };
      const { webhook, secret } = await webhooks.rotateWebhookSecret(asked, { context });
      return json({ ...webhookFields(webhook), secret });
    },
  });
}
