import type { AuditEntry } from "@registry/contracts/audit";
import { z } from "zod";
import { choiceParameter, integerParameter, textParameter, timeParameter } from "../input.ts";
import type { Parts } from "../parts.ts";
import { defineRoute, json, type Route } from "../route.ts";
import { orNull, timeText } from "../words.ts";
import { auditHeadSchema, auditRowSchema } from "./audit-schemas.ts";

/** For administrators, and for an organisation's owners on what concerns it. */
export function auditRoutes({ audit }: Parts): Route[] {
  const url = "/api/v1/audit";
  const one = { method: "GET", tag: "audit", access: "users" } as const;
  return [
    defineRoute({
      ...one,
      url,
      summary: "Who changed what, newest first",
      query: z.object({
        actor: textParameter(128).describe("Username, or name of a service"),
        action: textParameter(64, "^(?:[^*]*|[a-z0-9_-]+(?:\\.[a-z0-9_-]+)*\\.\\*)$").describe(
          "Such as `release.yank`, or `release.*`",
        ),
        target: textParameter(256).describe("Such as `name`, `name@1.0.0` or a username"),
        organisation: textParameter(64).describe("Required of callers who are no administrators"),
        result: choiceParameter(["ok", "denied", "failed", "interrupted"]),
        since: timeParameter().describe("From this moment on"),
        until: timeParameter().describe("Before this moment"),
        limit: integerParameter(1, 500, 50),
        cursor: textParameter(64, "^(?:[0-9]{1,15}-[0-9]{1,15})?$"),
      }),
      answers: {
        200: {
          description: "`next_cursor` is null on the last page",
          schema: z.object({ entries: z.array(auditRowSchema), next_cursor: z.string().nullable() }),
        },
      },
      async handle({ query, context }) {
        const { actor = "", action = "", target = "", organisation = "", result = "", since, until } = query;
        const page = { pageSize: query.limit, pageToken: query.cursor ?? "" };
        const request = { page, actor, action, target, organisation, result, since, until };
        const { entries, nextPageToken } = await audit.listAudit(request, { context });
        return json({ entries: entries.map(rowFields), next_cursor: orNull(nextPageToken) });
      },
    }),
    defineRoute({
      ...one,
      url: `${url}/head`,
      summary: "The end of the log, signed now, for an auditor to keep",
      answers: { 200: { description: "The end", schema: auditHeadSchema } },
      async handle({ context }) {
        const { current, publicKey } = await audit.getAuditHead({ limit: 1 }, { context });
        if (current === undefined) throw new TypeError("auth answered without a head");
        const { sequence, hash, signature } = current;
        return json({ sequence, hash, time: timeText(current.time), signature, public_key: publicKey });
      },
    }),
  ];
}

function rowFields(row: AuditEntry): object {
  return {
    sequence: row.sequence,
    id: row.id,
    time: timeText(row.time),
    actor_type: row.actorType,
    actor: orNull(row.actor),
    actor_id: row.actorId === 0 ? null : row.actorId,
    token_id: orNull(row.tokenId),
    address: orNull(row.address),
    via: orNull(row.via),
    action: row.action,
    target: orNull(row.target),
    organisation: orNull(row.organisation),
    before: objectIn(row.beforeJson),
    after: objectIn(row.afterJson),
    result: row.result,
    reason: orNull(row.reason),
    request_id: orNull(row.requestId),
    previous_hash: row.previousHash,
    hash: row.hash,
  };
}

/** What somebody wrote into the store by hand is shown as it is; that it was, `audit verify` says. */
function objectIn(text: string): object | null {
  if (text === "") return null;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  } catch {}
  return { unreadable: text };
}
