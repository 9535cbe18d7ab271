import { z } from "zod";
import { shortText } from "../input.ts";
import type { Parts } from "../parts.ts";
import { defineRoute, json, noContent, type Route } from "../route.ts";

const password = shortText(256).min(1);
const code = shortText(16).min(1).describe("Six digits");

/** One's own second factor. */
export function totpRoutes({ auth, rightsChanged }: Parts): Route[] {
  const url = "/api/v1/auth/totp";
  const tag = "auth";
  return [
    defineRoute({
      method: "POST",
      url,
      tag,
      summary: "Begin with a second factor; it counts once a code of it was confirmed",
      access: "users",
      body: z.strictObject({ password }),
      answers: {
        200: {
          description: "Its secret, shown this once: in base32, and as a URI for authenticator apps",
          schema: z.object({ secret: z.string(), uri: z.string() }),
        },
      },
      async handle({ body, context }) {
        const { secret, uri } = await auth.beginTotp(body, { context });
        return json({ secret, uri });
      },
    }),
    defineRoute({
      method: "PUT",
      url,
      tag,
      summary: "Confirm the second factor: logins need a code from now on",
      access: "users",
      body: z.strictObject({ code }),
      answers: { 204: { description: "Done" } },
      async handle({ body, context }) {
        await auth.confirmTotp(body, { context });
        await rightsChanged();
        return noContent();
      },
    }),
    defineRoute({
      method: "DELETE",
      url,
      tag,
      summary: "Give up the second factor",
      access: "users",
      body: z.strictObject({ password, code }),
      answers: { 204: { description: "The password alone logs in" } },
      async handle({ body, context }) {
        await auth.disableTotp(body, { context });
        await rightsChanged();
        return noContent();
      },
    }),
  ];
}
