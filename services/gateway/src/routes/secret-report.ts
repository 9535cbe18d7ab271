import { z } from "zod";
import { shortText } from "../input.ts";
import type { Parts } from "../parts.ts";
import { defineRoute, json, type Route } from "../route.ts";

const most = 100;
const secret = z.strictObject({
  token: shortText(4096).min(1).describe("The credential itself; it is neither answered nor kept"),
  url: shortText(2000).optional().describe("Where it was found"),
  type: shortText(100).optional().describe("What the reporter calls this kind of secret"),
  source: shortText(100).optional().describe("Where the reporter looked"),
});
const secrets = z.array(secret).min(1).max(most);

/** For scanners and everybody else who finds a credential where it does not belong. */
export function secretReportRoutes({ auth, rightsChanged }: Parts): Route[] {
  return [
    defineRoute({
      method: "POST",
      url: "/api/v1/secret-report",
      tag: "tokens",
      summary: "Report leaked credentials: those that hold are revoked",
      access: "anyone",
      guessing: true,
      maxBodyBytes: 1024 * 1024,
      body: z.union([secrets, z.strictObject({ secrets })]),
      answers: {
        200: {
          description: "In the order of the report; `revoked` is true for what was a credential and has ended now",
          schema: z.object({
            results: z.array(z.object({ token_sha256: z.string().regex(/^[0-9a-f]{64}$/), revoked: z.boolean() })),
          }),
        },
      },
      async handle({ body, context }) {
        const list = Array.isArray(body) ? body : body.secrets;
        const reported = list.map(({ token, url }) => ({ token, url: url ?? "" }));
        const { results } = await auth.reportSecrets({ secrets: reported }, { context });
        if (results.some(({ revoked }) => revoked)) await rightsChanged();
        return json({
          results: results.map(({ tokenSha256, revoked }) => ({ token_sha256: tokenSha256, revoked })),
        });
      },
    }),
  ];
}
