import type { Member } from "@registry/contracts/organisations";
import { orgRoles } from "@registry/domain";
import { z } from "zod";
import { integerParameter, textParameter } from "../input.ts";
import { memberSchema } from "../organisation-schemas.ts";
import type { Parts } from "../parts.ts";
import { defineRoute, json, noContent, type Route } from "../route.ts";
import { orNull, timeText } from "../words.ts";
import { orgTag, orgUrl } from "./organisations.ts";

/** Of lists of members, service accounts included. */
export const memberPage = z.object({ limit: integerParameter(1, 500, 50), cursor: textParameter(64) });

export function memberFields(member: Member | undefined): object {
  if (member === undefined) throw new TypeError("auth answered without a member");
  const { username, userId, role, since, serviceAccount, teams } = member;
  return { username, user_id: userId, role, since: timeText(since), service_account: serviceAccount, teams };
}

export function memberRoutes({ organisations, rightsChanged }: Parts): Route[] {
  const url = `${orgUrl}/members`;
  return [
    defineRoute({
      method: "GET",
      url,
      tag: orgTag,
      summary: "Members, by username",
      access: "users",
      query: memberPage,
      answers: {
        200: {
          description: "`next_cursor` is null on the last page",
          schema: z.object({ members: z.array(memberSchema), next_cursor: z.string().nullable() }),
        },
      },
      async handle({ params, query, context }) {
        const page = { pageSize: query.limit, pageToken: query.cursor ?? "" };
        const request = { organisation: params.org ?? "", page };
        const { members, nextPageToken } = await organisations.listMembers(request, { context });
        return json({ members: members.map(memberFields), next_cursor: orNull(nextPageToken) });
      },
    }),
    defineRoute({
      method: "PUT",
      url: `${url}/:username`,
      tag: orgTag,
      summary: "Add a member, or give it another role",
      access: "users",
      body: z.strictObject({ role: z.enum(orgRoles) }),
      answers: { 200: { description: "The member", schema: memberSchema } },
      async handle({ params, body, context }) {
        const { org: organisation = "", username = "" } = params;
        const { member } = await organisations.setMember({ organisation, username, ...body }, { context });
        await rightsChanged();
        return json(memberFields(member));
      },
    }),
    defineRoute({
      method: "DELETE",
      url: `${url}/:username`,
      tag: orgTag,
      summary: "Remove a member, or leave; out of all teams as well",
      access: "users",
      answers: { 204: { description: "It is no member any more" } },
      async handle({ params, context }) {
        const { org: organisation = "", username = "" } = params;
        await organisations.removeMember({ organisation, username }, { context });
        await rightsChanged();
        return noContent();
      },
    }),
  ];
}
