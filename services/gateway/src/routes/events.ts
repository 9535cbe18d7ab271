import { z } from "zod";
import { integerParameter, textParameter } from "../input.ts";
import { nextPage } from "../pages.ts";
import type { Parts } from "../parts.ts";
import { type Answer, type Call, defineRoute, json, noContent, type Route } from "../route.ts";
import { orNull, timeText } from "../words.ts";
import {
  analyticsRebuildFields,
  deadLetterFields,
  deadLetterSchema,
  eventStatusSchema,
  projections,
  rebuildSchema,
  searchRebuildFields,
  wholeDeadLetterSchema,
} from "./event-schemas.ts";

const deadLettersUrl = "/api/v1/admin/dead-letters";
const deadLettersQuery = z.object({
  group: textParameter(64, "^(?:[a-z][a-z0-9-]{0,63})?$").describe("Of one consumer group"),
  limit: integerParameter(1, 500, 50),
  cursor: textParameter(64, "^(?:[0-9]{1,15}-[0-9a-f]{40})?$"),
});
const rebuildBody = z.strictObject({
  projection: z
    .enum(projections, { error: `expected one of ${projections.join(", ")}` })
    .describe("What is made anew from the truth, while it goes on being asked"),
});
const replayBody = z.strictObject({
  since: z.iso
    .datetime({ offset: true, error: "expected a time as RFC 3339 has it, such as 2026-01-31T08:00:00Z" })
    .describe("When events were first sent, at most seven days ago"),
});

/** What becomes of events; for administrators. */
export function eventRoutes(parts: Parts): Route[] {
  return [...statusRoutes(parts), ...deadLetterRoutes(parts), ...rebuildRoutes(parts)];
}

const admin = { tag: "admin", access: "users" } as const;

function statusRoutes({ events }: Parts): Route[] {
  return [
    defineRoute({
      ...admin,
      method: "GET",
      url: "/api/v1/admin/events",
      summary: "How far consumers and outboxes are behind; administrators",
      answers: { 200: { description: "Every consumer group and outbox", schema: eventStatusSchema } },
      async handle({ context }) {
        const { groups, outboxes, deadLetters, away } = await events.getEventStatus({}, { context });
        return json({
          groups: groups.map(({ group, waiting, underWay, deadLetters: dead }) => {
            return { group, waiting, under_way: underWay, dead_letters: dead };
          }),
          outboxes: outboxes.map(({ outbox, pending, oldest }) => ({ outbox, pending, oldest: timeText(oldest) })),
          dead_letters: deadLetters,
          away,
        });
      },
    }),
    defineRoute({
      ...admin,
      method: "POST",
      url: "/api/v1/admin/events/replay",
      summary: "Send events of the last days once more; they change nothing where they were handled; administrators",
      body: replayBody,
      answers: { 202: { description: "How many will be sent", schema: z.object({ events: z.int().min(0) }) } },
      async handle({ body, context }) {
        const { events: count } = await events.replayEvents({ since: new Date(body.since) }, { context });
        return json({ events: count }, { status: 202 });
      },
    }),
  ];
}

function deadLetterRoutes({ events }: Parts): Route[] {
  const one = { ...admin, url: `${deadLettersUrl}/:id` } as const;
  return [
    defineRoute({
      ...admin,
      method: "GET",
      url: deadLettersUrl,
      summary: "Events that a consumer could not handle, longest ago first; administrators",
      query: deadLettersQuery,
      answers: {
        200: {
          description: "`next_cursor` is null on the last page; `Link` has its address",
          headers: ["Link"],
          schema: z.object({ dead_letters: z.array(deadLetterSchema), next_cursor: z.string().nullable() }),
        },
      },
      handle: (call) => list(events, call),
    }),
    defineRoute({
      ...one,
      method: "GET",
      summary: "One of them, with the event's data; administrators",
      answers: { 200: { description: "The dead letter", schema: wholeDeadLetterSchema } },
      async handle({ params: { id = "" }, context }) {
        const { deadLetter } = await events.getDeadLetter({ id }, { context });
        if (deadLetter === undefined) throw new TypeError("analytics answered without a dead letter");
        return json({ ...deadLetterFields(deadLetter), data: JSON.parse(deadLetter.dataJson) });
      },
    }),
    defineRoute({
      ...one,
      method: "DELETE",
      summary: "Give the event up for good, for this consumer; administrators",
      answers: { 204: { description: "It is dropped" } },
      async handle({ params: { id = "" }, context }) {
        await events.dropDeadLetter({ id }, { context });
        return noContent();
      },
    }),
    defineRoute({
      ...admin,
      url: `${deadLettersUrl}/:id/retry`,
      method: "POST",
      summary: "Send the event to this consumer once more; what fails again comes back; administrators",
      answers: { 202: { description: "The dead letter, being retried", schema: deadLetterSchema } },
      async handle({ params: { id = "" }, context }) {
        const { deadLetter } = await events.retryDeadLetter({ id }, { context });
        if (deadLetter === undefined) throw new TypeError("analytics answered without a dead letter");
        return json(deadLetterFields(deadLetter), { status: 202 });
      },
    }),
  ];
}

async function list(events: Parts["events"], call: Call<z.output<typeof deadLettersQuery>>): Promise<Answer> {
  const { group = "", limit, cursor = "" } = call.query;
  const page = { pageSize: limit, pageToken: cursor };
  const { deadLetters, nextPageToken } = await events.listDeadLetters({ group, page }, { context: call.context });
  return json(
    { dead_letters: deadLetters.map(deadLetterFields), next_cursor: orNull(nextPageToken) },
    { headers: nextPage(call.origin, deadLettersUrl, { group, limit: String(limit) }, nextPageToken) },
  );
}

function rebuildRoutes({ events, maintenance }: Parts): Route[] {
  const url = "/api/v1/admin/rebuild";
  return [
    defineRoute({
      ...admin,
      method: "POST",
      url,
      summary: "Make the search, or analytics, anew from the truth; administrators",
      body: rebuildBody,
      answers: { 202: { description: "How far it is", schema: rebuildSchema } },
      async handle({ body, context }) {
        if (body.projection === "analytics") {
          const { rebuild } = await events.rebuildAnalytics({}, { context });
          return json(analyticsRebuildFields(rebuild), { status: 202 });
        }
        await maintenance.rebuildSearch({}, { context });
        const told = await maintenance.getSearchRebuild({}, { context });
        return json(searchRebuildFields(told), { status: 202 });
      },
    }),
    ...projections.map((projection) =>
      defineRoute({
        ...admin,
        method: "GET",
        url: `${url}/${projection}`,
        summary: `How far the latest rebuild of ${projection} is; administrators`,
        answers: { 200: { description: "How far it is", schema: rebuildSchema } },
        async handle({ context }) {
          if (projection === "search")
            return json(searchRebuildFields(await maintenance.getSearchRebuild({}, { context })));
          return json(analyticsRebuildFields((await events.getAnalyticsRebuild({}, { context })).rebuild));
        },
      }),
    ),
  ];
}
