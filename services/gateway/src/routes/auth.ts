import type { LoginResponse, User } from "@registry/contracts/auth";
import { unauthenticated } from "@registry/domain";
import { z } from "zod";
import { email, newUsername } from "../forms.ts";
import { shortText } from "../input.ts";
import type { Parts } from "../parts.ts";
import { type Answer, defineRoute, json, noContent, type Route } from "../route.ts";
import { sessionSchema, userSchema } from "../schemas.ts";
import { orNull, timeText } from "../words.ts";

/** A user as answers show one: to itself and to administrators. */
export function userFields(user: User | undefined): object {
  if (user === undefined) throw new TypeError("auth answered without a user");
  const { id, username, email, role, grants, disabled, createdAt, serviceAccount, organisation, totpEnabled } = user;
  return {
    ...{ id, username, email, role, grants, permissions: grants, disabled },
    created_at: timeText(createdAt),
    service_account: serviceAccount,
    organisation: orNull(organisation),
    totp_enabled: totpEnabled,
    memberships: user.memberships,
  };
}

function session({ token, expiresAt, user }: LoginResponse, status: number): Answer {
  return json({ token, token_type: "bearer", expires_at: timeText(expiresAt), user: userFields(user) }, { status });
}

/** Kept by whoever registers, logs in or sets another one. */
export const newPassword = shortText(256).min(8).meta({ minLength: 8, maxLength: 256 });
const password = shortText(256).min(1);

/** Coming and going. */
export function authRoutes(parts: Parts): Route[] {
  const { auth } = parts;
  const base = "/api/v1/auth";
  const tag = "auth";
  return [
    defineRoute({
      method: "POST",
      url: `${base}/register`,
      tag,
      summary: "Become a user, where the registry lets anybody register",
      access: "anyone",
      guessing: true,
      body: z.object({ username: newUsername, email, password: password.meta({ minLength: 8, maxLength: 256 }) }),
      answers: { 201: { description: "The new user, with a token", schema: sessionSchema } },
      handle: async ({ body, context }) => session(await auth.register(body, { context }), 201),
    }),
    defineRoute({
      method: "POST",
      url: `${base}/login`,
      tag,
      summary: "A token of 30 days for a username (or email), a password, and a code where there is a second factor",
      access: "anyone",
      guessing: true,
      body: z.object({
        username: shortText(320).min(1),
        password,
        otp: shortText(16).optional().describe("Six digits of the second factor; asked for with `OTP_REQUIRED`"),
      }),
      answers: { 200: { description: "The token", schema: sessionSchema } },
      handle: async ({ body, context }) => session(await auth.login(body, { context }), 200),
    }),
    defineRoute({
      method: "POST",
      url: `${base}/logout`,
      tag,
      summary: "Revoke the token that this request carries",
      access: "users",
      answers: { 204: { description: "It holds no longer" } },
      async handle({ credential, context }) {
        if (credential === undefined) throw unauthenticated();
        await auth.logout({ token: credential }, { context });
        await parts.rightsChanged();
        return noContent();
      },
    }),
    defineRoute({
      method: "GET",
      url: `${base}/me`,
      tag,
      summary: "Who this credential belongs to",
      access: "users",
      answers: { 200: { description: "The user", schema: userSchema } },
      handle: async ({ context }) => json(userFields((await auth.getMe({}, { context })).user)),
    }),
    defineRoute({
      method: "PUT",
      url: `${base}/password`,
      tag,
      summary: "Set another password",
      access: "users",
      body: z.strictObject({ current_password: password, new_password: newPassword }),
      answers: { 204: { description: "Done" } },
      async handle({ body, context }) {
        const change = { currentPassword: body.current_password, newPassword: body.new_password };
        await auth.changePassword(change, { context });
        await parts.rightsChanged();
        return noContent();
      },
    }),
  ];
}
