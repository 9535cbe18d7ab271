import type { ApiToken } from "@registry/contracts/auth";
import { grantPattern, invalid, roles, usernamePattern } from "@registry/domain";
import { z } from "zod";
import {
  email,
  emailOrNone,
  label,
  network,
  newUsername,
  orEmpty,
  passwordHash,
  right,
  usernameOrNone,
  where,
} from "../forms.ts";
import { integerParameter, textParameter } from "../input.ts";
import type { Parts } from "../parts.ts";
import { defineRoute, json, noContent, type Route } from "../route.ts";
import { tokenSchema, userSchema } from "../schemas.ts";
import { orNull, timeText } from "../words.ts";
import { newPassword, userFields } from "./auth.ts";

const grants = z.array(right).max(64);
const permissions = grants.describe("Another word for grants");

interface Rights {
  readonly grants?: string[] | undefined;
  readonly permissions?: string[] | undefined;
}

/** Under whichever of its two names the list was given. @throws where it was given twice and not the same */
function grantsIn({ grants, permissions }: Rights): string[] | undefined {
  if (grants === undefined || permissions === undefined) return grants ?? permissions;
  throw invalid("INVALID_BODY", "permissions: is another word for grants; give one of them", "/permissions");
}

/** For administrators. */
export function userRoutes({ auth, rightsChanged }: Parts): Route[] {
  const url = "/api/v1/users";
  const tag = "users";
  return [
    defineRoute({
      method: "GET",
      url,
      tag,
      summary: "All users",
      access: "users",
      query: z.object({ limit: integerParameter(1, 500, 50), cursor: textParameter(15, "^[0-9]*$") }),
      answers: {
        200: {
          description: "`next_cursor` is null on the last page",
          schema: z.object({ users: z.array(userSchema), next_cursor: z.string().nullable() }),
        },
      },
      async handle({ query, context }) {
        const page = { pageSize: query.limit, pageToken: query.cursor ?? "" };
        const { users, nextPageToken } = await auth.listUsers({ page }, { context });
        return json({ users: users.map(userFields), next_cursor: orNull(nextPageToken) });
      },
    }),
    defineRoute({
      method: "POST",
      url,
      tag,
      summary: "Create a user",
      access: "users",
      body: z
        .strictObject({
          username: newUsername,
          email: emailOrNone,
          password: newPassword.optional(),
          password_hash: passwordHash.optional().describe("bcrypt or argon2id, brought from another registry"),
          role: z.enum(roles).optional(),
          grants: grants.optional(),
          permissions: permissions.optional(),
        })
        .meta({
          not: { anyOf: [{ required: ["grants", "permissions"] }, { required: ["password", "password_hash"] }] },
        }),
      answers: { 201: { description: "The new user", schema: userSchema } },
      async handle({ body, context }) {
        const { password_hash: passwordHash = "", grants: _, permissions: __, ...rest } = body;
        const request = { ...rest, passwordHash, grants: grantsIn(body) ?? [] };
        const { user } = await auth.createUser(request, { context });
        return json(userFields(user), { status: 201 });
      },
    }),
    defineRoute({
      method: "GET",
      url: `${url}/:username`,
      tag,
      summary: "One user",
      access: "users",
      answers: { 200: { description: "The user", schema: userSchema } },
      async handle({ params, context }) {
        return json(userFields((await auth.getUser({ username: params.username ?? "" }, { context })).user));
      },
    }),
    defineRoute({
      method: "PATCH",
      url: `${url}/:username`,
      tag,
      summary: "Change a user; absent fields stay",
      access: "users",
      body: z
        .strictObject({
          role: z.enum(roles).optional(),
          grants: grants.optional(),
          permissions: permissions.optional(),
          disabled: z.boolean().optional(),
          password: newPassword.optional(),
          email: email.optional(),
        })
        .meta({ not: { required: ["grants", "permissions"] } }),
      answers: { 200: { description: "As it is now", schema: userSchema } },
      async handle({ params, body, context }) {
        const { grants: _, permissions: __, ...rest } = body;
        const list = grantsIn(body);
        const change = list === undefined ? rest : { ...rest, grants: { grants: list } };
        const { user } = await auth.updateUser({ username: params.username ?? "", ...change }, { context });
        await rightsChanged();
        return json(userFields(user));
      },
    }),
  ];
}

function tokenFields(token: ApiToken | undefined): object {
  if (token === undefined) throw new TypeError("auth answered without a token");
  const { id, name, scopes, hint, addresses, username } = token;
  return {
    ...{ id, name, scopes, hint, addresses, username },
    read_only: token.readOnly,
    created_at: timeText(token.createdAt),
    expires_at: timeText(token.expiresAt),
    last_used_at: timeText(token.lastUsedAt),
  };
}

const readingRight = grantPattern.replace(/^.*?\(\?:read.*?\)/, "^(?:(?:read|download)");
const tokenBody = z
  .strictObject({
    name: label,
    scopes: z.array(right).max(64).optional().describe("Absent or empty: all rights of the user"),
    expires_in_days: z.int().min(0).max(3650).optional().describe("Absent or 0: never ends"),
    addresses: z
      .array(network)
      .max(20)
      .optional()
      .describe("Addresses, or networks such as `10.0.0.0/8`, that it holds from; absent or empty: from anywhere"),
    read_only: z.boolean().optional().describe("It may read and download alone, whatever its user may"),
    username: usernameOrNone.optional().describe("A service account that the caller manages; absent: the caller"),
  })
  .meta(where("read_only", true, { scopes: { items: { pattern: readingRight } } }));

/** Credentials for programs: one's own, and those of service accounts that one manages. */
export function tokenRoutes({ auth, rightsChanged }: Parts): Route[] {
  const url = "/api/v1/tokens";
  const tag = "tokens";
  return [
    defineRoute({
      method: "GET",
      url,
      tag,
      summary: "One's own tokens, or those of a service account that one manages",
      access: "users",
      query: z.object({ username: textParameter(64, orEmpty(usernamePattern)) }),
      answers: { 200: { description: "All of them", schema: z.object({ tokens: z.array(tokenSchema) }) } },
      async handle({ query, context }) {
        const { tokens } = await auth.listApiTokens({ username: query.username ?? "" }, { context });
        return json({ tokens: tokens.map(tokenFields) });
      },
    }),
    defineRoute({
      method: "POST",
      url,
      tag,
      summary: "Create a token; its secret is shown this once",
      access: "users",
      body: tokenBody,
      answers: { 201: { description: "The token", schema: tokenSchema.extend({ secret: z.string() }) } },
      async handle({ body, context }) {
        const { expires_in_days: expiresInDays, read_only: readOnly, ...rest } = body;
        const { token, secret } = await auth.createApiToken({ ...rest, expiresInDays, readOnly }, { context });
        return json({ ...tokenFields(token), secret }, { status: 201 });
      },
    }),
    defineRoute({
      method: "DELETE",
      url: `${url}/:id`,
      tag,
      summary: "Revoke a token",
      access: "users",
      answers: { 204: { description: "It holds no longer" } },
      async handle({ params, context }) {
        await auth.revokeApiToken({ id: params.id ?? "" }, { context });
        await rightsChanged();
        return noContent();
      },
    }),
  ];
}
