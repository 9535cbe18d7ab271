import type { TrustedPublisher } from "@registry/contracts/federation";
import { pluginNamePattern } from "@registry/domain";
import { z } from "zod";
import { orEmpty, pluginName, usernameOrNone } from "../forms.ts";
import { shortText, textParameter } from "../input.ts";
import type { Parts } from "../parts.ts";
import { type Call, defineRoute, json, noContent, type Route } from "../route.ts";
import { sessionSchema, signInOptionsSchema, trustedPublisherSchema } from "../schemas.ts";
import { orNull, timeText } from "../words.ts";
import { userFields } from "./auth.ts";

const base = "/api/v1/auth/oidc";
const callbackPath = `${base}/callback`;
const cookieName = "registry_oidc";
const cookieSeconds = 600;

/** For the browser that began a sign-in alone, on its way back from the provider: no script and no other site has it. */
function cookie(origin: string, value: string, seconds: number): string {
  const { protocol, pathname } = new URL(origin);
  const secure = protocol === "https:" ? "; Secure" : "";
  const path = `${pathname.replace(/\/$/, "")}${base}`;
  return `${cookieName}=${value}; HttpOnly; SameSite=Lax; Path=${path}; Max-Age=${seconds}${secure}`;
}

/** What was sealed for this browser; empty where it brought nothing along, or two of them. */
function sealedStateOf({ request }: Pick<Call, "request">): string {
  const cookies = (request.headers.cookie ?? "").split(";").map((pair) => pair.trim());
  const [own = "", ...others] = cookies.filter((pair) => pair.startsWith(`${cookieName}=`));
  return others.length > 0 ? "" : own.slice(cookieName.length + 1);
}

/** What RFC 6749 makes codes and states of. */
const visible = "^[ -~]*$";

const callbackQuery = z.object({
  code: textParameter(2048, visible),
  state: textParameter(512, visible),
  iss: textParameter(512, visible),
  error: textParameter(512, visible),
});

/** Sign-in with the company's identity provider, and trusted publishing for workflows. */
export function federationRoutes(parts: Parts): Route[] {
  const { federation } = parts;
  const tag = "auth";
  return [
    defineRoute({
      method: "GET",
      url: base,
      tag,
      summary: "What a sign-in page may offer, and whose workflows may publish",
      access: "anyone",
      answers: { 200: { description: "`name` is for the button", schema: signInOptionsSchema } },
      async handle({ context }) {
        const options = await federation.getSignInOptions({}, { context });
        return json({
          oidc: options.oidc,
          name: orNull(options.oidcName),
          trusted_issuers: options.trustedIssuers,
          trusted_audience: options.trustedAudience,
          registration_open: options.registrationOpen,
        });
      },
    }),
    defineRoute({
      method: "GET",
      url: `${base}/login`,
      tag,
      summary: "Send a browser to the identity provider to sign in",
      access: "anyone",
      guessing: true,
      query: z.object({
        return_to: textParameter(512, "^(?:/(?:[!-.0-\\[\\]-~][!-\\[\\]-~]*)?)?$").describe(
          "Path of this registry to go on to afterwards",
        ),
      }),
      answers: {
        302: { description: "To the provider, with a cookie for the way back", headers: ["Location", "Set-Cookie"] },
      },
      async handle({ query, origin, context }) {
        const request = { redirectUri: `${origin}${callbackPath}`, returnTo: query.return_to ?? "" };
        const { authorizationUrl, sealedState } = await federation.beginSignIn(request, { context });
        const headers = {
          location: authorizationUrl,
          "set-cookie": cookie(origin, sealedState, cookieSeconds),
          "cache-control": "no-store",
        };
        return { status: 302, headers, body: undefined };
      },
    }),
    callbackRoute(parts),
    defineRoute({
      method: "POST",
      url: `${base}/token`,
      tag,
      summary: "Trade a workflow's ID token for a token that publishes one plugin for 15 minutes",
      access: "anyone",
      guessing: true,
      maxBodyBytes: 256 * 1024,
      body: z.strictObject({
        id_token: z.string().min(1).max(16_384),
        plugin: pluginName,
        publishes_as: shortText(64).optional().describe("Needed where several users trust the workflow"),
      }),
      answers: {
        200: {
          description: "The token is shown this once, and the ID token is used up",
          schema: z.object({
            token: z.string(),
            expires_at: z.string().nullable(),
            plugin: z.string(),
            publishes_as: z.string(),
          }),
        },
      },
      async handle({ body, context }) {
        const request = { idToken: body.id_token, plugin: body.plugin, publishesAs: body.publishes_as ?? "" };
        const { token, expiresAt, plugin, publishesAs } = await federation.exchangeIdToken(request, { context });
        return json({ token, expires_at: timeText(expiresAt), plugin, publishes_as: publishesAs });
      },
    }),
  ];
}

function callbackRoute({ federation, rightsChanged }: Parts): Route {
  return defineRoute({
    method: "GET",
    url: callbackPath,
    tag: "auth",
    summary: "Where the identity provider sends the browser back to",
    access: "anyone",
    guessing: true,
    query: callbackQuery,
    answers: {
      200: {
        description: "A token of 30 days; `return_to` is where the browser wanted to go on to",
        schema: sessionSchema.extend({ return_to: z.string().nullable() }),
      },
    },
    async handle(call) {
      const { origin, context, request } = call;
      const at = request.url.indexOf("?");
      const callbackUrl = `${origin}${callbackPath}${at < 0 ? "" : request.url.slice(at)}`;
      const finished = await federation.finishSignIn({ callbackUrl, sealedState: sealedStateOf(call) }, { context });
      // Groups may have taken a right away.
      await rightsChanged();
      const { token, expiresAt, user, returnTo } = finished;
      const session = { token, token_type: "bearer", expires_at: timeText(expiresAt), user: userFields(user) };
      return json(
        { ...session, return_to: orNull(returnTo) },
        { headers: { "cache-control": "no-store", "set-cookie": cookie(origin, "", 0) } },
      );
    },
  });
}

function publisherFields(publisher: TrustedPublisher | undefined): object {
  if (publisher === undefined) throw new TypeError("auth answered without a trusted publisher");
  const { id, plugin, issuer, claims, publishesAs, createdBy, createdAt, lastUsedAt } = publisher;
  return {
    id,
    plugin,
    issuer,
    claims,
    publishes_as: publishesAs,
    created_by: createdBy,
    created_at: timeText(createdAt),
    last_used_at: timeText(lastUsedAt),
  };
}

const checkedAnyway = ["iss", "aud", "azp", "exp", "iat", "nbf", "jti", "nonce"];

/** Which workflows may publish which plugin. */
export function trustedPublisherRoutes({ federation, rightsChanged }: Parts): Route[] {
  const url = "/api/v1/trusted-publishers";
  const tag = "tokens";
  return [
    defineRoute({
      method: "GET",
      url,
      tag,
      summary: "Trusted publishers: one's own, those of organisations that one owns, and all for administrators",
      access: "users",
      query: z.object({ plugin: textParameter(150, orEmpty(pluginNamePattern)) }),
      answers: {
        200: {
          description: "Oldest first, at most 1,000",
          schema: z.object({ trusted_publishers: z.array(trustedPublisherSchema) }),
        },
      },
      async handle({ query, context }) {
        const request = { plugin: query.plugin ?? "" };
        const { publishers } = await federation.listTrustedPublishers(request, { context });
        return json({ trusted_publishers: publishers.map(publisherFields) });
      },
    }),
    defineRoute({
      method: "POST",
      url,
      tag,
      summary: "Let a workflow publish a plugin, which need not exist yet, without a stored secret",
      access: "users",
      body: z.strictObject({
        plugin: pluginName,
        issuer: shortText(512).min(1),
        claims: z
          .record(z.string().max(64), shortText(500).min(1))
          .meta({
            minProperties: 1,
            maxProperties: 10,
            propertyNames: { pattern: "^[a-z_][a-z0-9_]{0,63}$", not: { enum: checkedAnyway } },
          })
          .describe("1 to 10 that its ID token must carry; at least one an id that lasts, such as repository_id"),
        publishes_as: usernameOrNone
          .optional()
          .describe("Service account of the plugin's organisation; absent for oneself"),
      }),
      answers: { 201: { description: "The trusted publisher", schema: trustedPublisherSchema } },
      async handle({ body, context }) {
        const { publishes_as: publishesAs = "", ...rest } = body;
        const { publisher } = await federation.createTrustedPublisher({ ...rest, publishesAs }, { context });
        return json(publisherFields(publisher), { status: 201 });
      },
    }),
    defineRoute({
      method: "DELETE",
      url: `${url}/:id`,
      tag,
      summary: "Trust a workflow no longer; its tokens end",
      access: "users",
      answers: { 204: { description: "It is gone" } },
      async handle({ params, context }) {
        await federation.deleteTrustedPublisher({ id: params.id ?? "" }, { context });
        await rightsChanged();
        return noContent();
      },
    }),
  ];
}
