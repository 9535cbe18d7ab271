import { z } from "zod";
import type { Parts } from "../parts.ts";
import { type Call, defineRoute, json, jsonText, type Route } from "../route.ts";

const jwksSchema = z
  .object({ keys: z.array(z.record(z.string(), z.string())) })
  .meta({ id: "Jwks", description: "RFC 7517; empty where tokens are signed with the registry's secret" });

/** Keys with which anybody may verify tokens of logins. */
export function jwksRoutes({ auth }: Parts): Route[] {
  const read = (url: string): Route =>
    defineRoute({
      method: "GET",
      url,
      tag: "auth",
      summary: "Public keys of the tokens that a login gives",
      access: "anyone",
      answers: { 200: { description: "A JWK Set", schema: jwksSchema } },
      async handle({ context }: Call) {
        const { jwksJson } = await auth.getJwks({}, { context });
        return jsonText(jwksJson, { headers: { "cache-control": "public, max-age=300" } });
      },
    });
  return [
    read("/api/v1/auth/jwks"),
    read("/.well-known/jwks.json"),
    defineRoute({
      method: "POST",
      url: "/api/v1/auth/jwks/rotate",
      tag: "auth",
      summary: "Sign with a new key from now on; tokens of the old one go on holding until they end (administrators)",
      access: "users",
      answers: { 200: { description: "Id of the new key", schema: z.object({ kid: z.string() }) } },
      async handle({ context }) {
        const { kid } = await auth.rotateSigningKey({}, { context });
        return json({ kid });
      },
    }),
  ];
}
