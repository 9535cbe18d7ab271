import { type ChangeType, changeTypes } from "@registry/domain";
import { z } from "zod";

type Json = { readonly [key: string]: unknown };

const text = { type: "string" };
const headers = [
  {
    name: "webhook-id",
    description: "Of the delivery, the same in every attempt: what came already may be passed over",
  },
  { name: "webhook-timestamp", description: "Of this attempt, seconds since 1970: what is too old is to be refused" },
  {
    name: "webhook-signature",
    description:
      "`v1,` and the base64 of HMAC-SHA256 over `{webhook-id}.{webhook-timestamp}.{body}` under the bytes that the secret has behind `whsec_`; several of them, with a space between, for 24 hours after a rotation: one for each secret that still signs",
  },
].map((header) => ({ ...header, in: "header", required: true, schema: text }));

const about: { readonly [type in ChangeType]: string } = {
  "release.published": "A release was published",
  "release.yanked": "A release was yanked",
  "release.unyanked": "A yank was taken back",
  "release.quarantined": "A release was taken out of sight",
  "release.restored": "A release that was out of sight is back",
  "release.deleted": "A release was deleted for ever",
  "plugin.updated": "A plugin's texts, rights or channels changed",
  "plugin.deleted": "A plugin was deleted for ever",
};

const time = z.string().meta({ format: "date-time" }).describe("When it happened");

function changeMessage(type: string): z.ZodType {
  return z.object({
    type: z.literal(type),
    timestamp: time,
    data: z.object({
      plugin: z.string(),
      version: z.string().optional().describe("Absent where it is about the plugin as a whole"),
      sha256: z.string().optional().describe("Of what was published"),
    }),
  });
}

const pingMessage = z.object({
  type: z.literal("ping"),
  timestamp: time,
  data: z.object({ webhook: z.string().describe("Its id") }),
});

function told(type: string, summary: string, schema: Json): Json {
  return {
    post: {
      operationId: `told${type.replace(/(?:^|\.)([a-z])/g, (_, c: string) => c.toUpperCase())}`,
      tags: ["webhooks"],
      summary,
      security: [],
      parameters: headers,
      requestBody: { required: true, content: { "application/json": { schema } } },
      responses: {
        "2XX": { description: "Taken; the body of the answer is not looked at" },
        410: { description: "The webhook is switched off" },
        default: {
          description:
            "Redirects are not followed; it is sent again, later and later, and not before a `Retry-After` of 429 or 503 says so, up to an hour",
        },
      },
    },
  };
}

/** What receivers are sent. @param write how a schema is written in the document */
export function openApiWebhooks(write: (schema: z.ZodType) => Json): Json {
  const changes = changeTypes.map((type) => [type, told(type, about[type], write(changeMessage(type)))]);
  const ping = ["ping", told("ping", "Somebody tries whether the webhook works", write(pingMessage))];
  return Object.fromEntries([...changes, ping]);
}
