import type { DeadLetter, Rebuild } from "@registry/contracts/analytics-events";
import type { GetSearchRebuildResponse } from "@registry/contracts/maintenance";
import { z } from "zod";
import { orNull, timeText } from "../words.ts";

const time = z.iso.datetime();
const count = z.int().min(0);

export const eventStatusSchema = z.object({
  groups: z.array(
    z.object({
      group: z.string(),
      waiting: count.describe("Events that the bus has not delivered to it yet"),
      under_way: count.describe("Delivered and not answered for"),
      dead_letters: count,
    }),
  ),
  outboxes: z.array(
    z.object({
      outbox: z.string(),
      pending: count.describe("Events that the bus has not accepted yet"),
      oldest: time.nullable(),
    }),
  ),
  dead_letters: count,
  away: z.array(z.string()).describe("Who did not answer, so that the rest lacks what they know: `bus`, `catalog`"),
});

const deadLetterShape = {
  id: z.string(),
  group: z.string(),
  event_id: z.string(),
  subject: z.string(),
  source: z.string(),
  about: z.string().nullable(),
  event_time: time.nullable(),
  attempts: z.int().min(1),
  cause: z.string(),
  state: z.enum(["parked", "retrying"]),
  first_parked_at: time,
  parked_at: time,
  retry_at: time
    .nullable()
    .describe("When it is retried by itself, since what it needs was away; null where that is for somebody to decide"),
};
export const deadLetterSchema = z.object(deadLetterShape);
export const wholeDeadLetterSchema = z.object({ ...deadLetterShape, data: z.unknown() });

export function deadLetterFields(letter: DeadLetter): object {
  return {
    id: letter.id,
    group: letter.group,
    event_id: letter.eventId,
    subject: letter.subject,
    source: letter.source,
    about: orNull(letter.about),
    event_time: timeText(letter.eventTime),
    attempts: letter.attempts,
    cause: letter.cause,
    state: letter.state,
    first_parked_at: timeText(letter.firstParkedAt),
    parked_at: timeText(letter.parkedAt),
    retry_at: timeText(letter.retryAt),
  };
}

export const projections = ["search", "analytics"] as const;

export const rebuildSchema = z.object({
  projection: z.enum(projections),
  number: count.describe("0 where none was ever asked for"),
  state: z.enum(["none", "waiting", "running", "done", "failed"]),
  step: z.string().nullable().describe("Of analytics: what is being rebuilt"),
  checked: count.describe("Documents looked at so far"),
  mended: count.describe("Documents that were not what they should be, and are now"),
  mended_by: z.record(z.string(), count).describe("Of analytics: the same, by collection"),
  replicas: z
    .array(
      z.object({
        instance: z.string(),
        number: count.describe("The last rebuild that it has done"),
        mended: count,
        plugins: count,
        seen_at: time,
        failure: z.string().nullable(),
      }),
    )
    .describe("Of the search: those that were alive within the last minute"),
  failure: z.string().nullable(),
});

const none = { step: null, checked: 0, mended: 0, mended_by: {}, replicas: [], failure: null };

export function analyticsRebuildFields(rebuild: Rebuild | undefined): object {
  if (rebuild === undefined) return { projection: "analytics", number: 0, state: "none", ...none };
  const { number, state, step, checked, mended, mendedBy, failure } = rebuild;
  const told = { step: orNull(step), checked, mended, mended_by: mendedBy, failure: orNull(failure) };
  return { projection: "analytics", number, state, ...none, ...told };
}

/** Done once every replica is. */
export function searchRebuildFields({ number, replicas }: GetSearchRebuildResponse): object {
  const done = replicas.length > 0 && replicas.every((replica) => replica.number >= number);
  const sum = (of: (replica: (typeof replicas)[number]) => number): number =>
    replicas.reduce((total, replica) => total + of(replica), 0);
  return {
    ...none,
    projection: "search",
    number,
    state: number === 0 ? "none" : done ? "done" : "running",
    checked: sum(({ plugins }) => plugins),
    mended: sum(({ mended }) => mended),
    replicas: replicas.map((replica) => ({
      instance: replica.instance,
      number: replica.number,
      mended: replica.mended,
      plugins: replica.plugins,
      seen_at: timeText(replica.seenAt),
      failure: orNull(replica.failure),
    })),
  };
}
