import { changeTypes } from "@registry/domain";
import { z } from "zod";
import { integerParameter, textParameter } from "../input.ts";
import type { Parts } from "../parts.ts";
import { type Call, defineRoute, json, type Route, taken } from "../route.ts";
import { changeFields } from "../words.ts";

const eventStream = "text/event-stream";
const cursorPattern = "^(?:now|[A-Za-z0-9_-]{48})?$";
const text = z.string();

const changeSchema = z
  .object({
    id: text.meta({ description: "Unique for ever" }),
    type: z.enum(changeTypes),
    plugin: text,
    version: text.nullable().meta({ description: "Null where it is about the plugin as a whole" }),
    time: text.nullable().meta({ format: "date-time" }),
    sha256: text.nullable().meta({ description: "Of what was published" }),
    cursor: text.meta({ description: "The place in the feed after this change" }),
  })
  .meta({ id: "Change", description: "What happened to a plugin or a release" });

/** What happens in the registry, in one order, as far as the caller may know of it. */
export function changeRoutes({ changes, changeStreams }: Parts): Route[] {
  return [
    defineRoute({
      method: "GET",
      url: "/api/v1/changes",
      tag: "changes",
      summary: `What happened after a cursor; with \`Accept: ${eventStream}\` also what happens from then on`,
      access: "readers",
      query: z.object({
        since: textParameter(64, cursorPattern).describe(
          "`next` of an answer before, `now`, or nothing for the oldest change that is kept; a stream goes on after `Last-Event-ID` instead, where that is sent",
        ),
        limit: integerParameter(1, 500, 100),
      }),
      answers: {
        200: {
          description:
            "In order, and perhaps none: `next` goes on in any case. As a stream, events have the cursor as their `id`",
          schema: z.object({ changes: z.array(changeSchema), next: text, more: z.boolean() }),
          type: eventStream,
        },
      },
      async handle(call) {
        const since = call.query.since ?? "";
        if (wantsStream(call)) {
          await changeStreams.serve(call, lastEventId(call) ?? since);
          return taken;
        }
        const request = { since, limit: call.query.limit };
        const answer = await changes.listChanges(request, { context: call.context });
        const told = answer.changes.map((change) => ({ ...changeFields(change), cursor: change.cursor }));
        return json({ changes: told, next: answer.next, more: answer.more });
      },
    }),
  ];
}

/** A stream is for whoever names it, and likes JSON no better: readers of anything would wait for its end. */
function wantsStream({ request }: Call): boolean {
  const weights = weightsIn(request.headers.accept ?? "");
  const stream = weights.get(eventStream) ?? 0;
  const page = jsonTypes.map((type) => weights.get(type)).find((weight) => weight !== undefined) ?? 0;
  return request.method === "GET" && stream > 0 && stream >= page;
}

/** The closest first. */
const jsonTypes = ["application/json", "application/*", "*/*"];

/** What a client accepts, by type: 0 for what it does not. */
function weightsIn(accept: string): Map<string, number> {
  return new Map(
    accept.split(",").map((range) => {
      const [type = "", ...parameters] = range.split(";").map((part) => part.trim().toLowerCase());
      const weight = parameters.find((parameter) => parameter.startsWith("q="))?.slice(2) ?? "1";
      return [type, /^[01](?:\.\d*)?$/.test(weight) ? Number(weight) : 1];
    }),
  );
}

/** Where a reader that was cut off had come to. */
function lastEventId({ request }: Call): string | undefined {
  const id = request.headers["last-event-id"];
  return typeof id === "string" && id !== "" ? id.slice(0, 64) : undefined;
}
