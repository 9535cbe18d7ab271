import { ReviewDecision } from "@registry/contracts/catalog";
import { z } from "zod";
import { releaseAnswer, releaseText } from "../info.ts";
import { integerParameter, plainText, pluginName, textParameter } from "../input.ts";
import { nextPage } from "../pages.ts";
import type { Parts } from "../parts.ts";
import { type Answer, type Call, defineRoute, jsonText, type Route } from "../route.ts";
import { namedReleaseSchema, waitingSchema } from "../schemas.ts";
import { findingsOf } from "../verdicts.ts";
import { orNull } from "../words.ts";

const decisions = {
  release: ReviewDecision.REVIEW_DECISION_RELEASE,
  approve: ReviewDecision.REVIEW_DECISION_RELEASE,
  reject: ReviewDecision.REVIEW_DECISION_REJECT,
  quarantine: ReviewDecision.REVIEW_DECISION_QUARANTINE,
} as const;
const words = ["release", "approve", "reject", "quarantine"] as const satisfies (keyof typeof decisions)[];
const reason = "expected a text of 1 to 500 characters that tells the owner why";

const reviewsQuery = z.object({
  limit: integerParameter(1, 500, 50),
  cursor: textParameter(256, "^(?:[0-9]{1,15}-[0-9]{1,4})?$"),
});

/** What administrators and reviewers decide about releases. */
export function reviewRoutes(parts: Parts): Route[] {
  return [
    defineRoute({
      method: "POST",
      url: "/api/v1/plugins/:name/versions/:version/review",
      tag: "releases",
      summary: "Release or reject what waits, or quarantine what is published; administrators and reviewers",
      access: "users",
      body: z.strictObject({
        decision: z
          .enum(words, { error: `expected one of ${words.join(", ")}` })
          .describe("`approve` is `release`; `reject` burns name, version and digest for ever"),
        reason: plainText(1, 500, reason).describe("Shown to the owner, reviewers and administrators"),
      }),
      answers: { 200: { description: "The release as it is now", schema: namedReleaseSchema } },
      async handle(call) {
        const name = pluginName(call.params.name);
        const { version = "" } = call.params;
        const asked = { name, version, decision: decisions[call.body.decision], reason: call.body.reason };
        const { release } = await parts.catalog.reviewRelease(asked, { context: call.context });
        parts.changed(name);
        return releaseAnswer(release, { ...call, links: parts.links });
      },
    }),
    defineRoute({
      method: "GET",
      url: "/api/v1/admin/reviews",
      tag: "admin",
      summary: "Releases that wait for a reviewer, longest first; administrators and reviewers",
      access: "users",
      query: reviewsQuery,
      answers: {
        200: {
          description: "`next_cursor` is null on the last page; `Link` has its address",
          headers: ["Link"],
          schema: z.object({ reviews: z.array(waitingSchema), next_cursor: z.string().nullable() }),
        },
      },
      handle: (call) => waiting(parts, call),
    }),
  ];
}

async function waiting(parts: Parts, call: Call<z.output<typeof reviewsQuery>>): Promise<Answer> {
  const { limit, cursor } = call.query;
  const page = { pageSize: limit, pageToken: cursor ?? "" };
  const { releases, nextPageToken } = await parts.catalog.listReviews({ page }, { context: call.context });
  const texts = releases.map((release) =>
    releaseText(release, { ...call, links: parts.links }, { plugin: release.plugin, findings: findingsOf(release) }),
  );
  const next = nextPage(call.origin, "/api/v1/admin/reviews", { limit: String(limit) }, nextPageToken);
  return jsonText(`{"reviews":[${texts.join(",")}],"next_cursor":${JSON.stringify(orNull(nextPageToken))}}`, {
    headers: { "cache-control": "private, no-store", ...next },
  });
}
