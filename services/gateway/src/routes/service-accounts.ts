import type { Member } from "@registry/contracts/organisations";
import { orgRoles } from "@registry/domain";
import { z } from "zod";
import { newUsername } from "../forms.ts";
import { memberSchema } from "../organisation-schemas.ts";
import type { Parts } from "../parts.ts";
import { type Call, defineRoute, json, noContent, type Route } from "../route.ts";
import { userSchema } from "../schemas.ts";
import { orNull } from "../words.ts";
import { userFields } from "./auth.ts";
import { memberFields, memberPage } from "./members.ts";
import { orgTag, orgUrl } from "./organisations.ts";

const membersAtOnce = 500;
/** Longest that is looked for accounts among people before the caller is asked to go on. */
const mostPages = 10;

/** Members that are programs: without password, known by their tokens. */
export function serviceAccountRoutes({ organisations, rightsChanged }: Parts): Route[] {
  const url = `${orgUrl}/service-accounts`;

  const accounts = async (organisation: string, after: string, limit: number, context: Call["context"]) => {
    const found: Member[] = [];
    let pageToken = after;
    for (let read = 0; read < mostPages; read++) {
      const page = { pageSize: membersAtOnce, pageToken };
      const { members, nextPageToken } = await organisations.listMembers({ organisation, page }, { context });
      found.push(...members.filter(({ serviceAccount }) => serviceAccount));
      if (found.length > limit) return { found: found.slice(0, limit), next: found[limit - 1]?.username ?? "" };
      if (nextPageToken === "") return { found, next: "" };
      pageToken = nextPageToken;
    }
    return { found, next: pageToken };
  };

  return [
    defineRoute({
      method: "GET",
      url,
      tag: orgTag,
      summary: "Service accounts, by username",
      access: "users",
      query: memberPage,
      answers: {
        200: {
          description: "`next_cursor` is null on the last page",
          schema: z.object({ service_accounts: z.array(memberSchema), next_cursor: z.string().nullable() }),
        },
      },
      async handle({ params, query, context }) {
        const { found, next } = await accounts(params.org ?? "", query.cursor ?? "", query.limit, context);
        return json({ service_accounts: found.map(memberFields), next_cursor: orNull(next) });
      },
    }),
    defineRoute({
      method: "POST",
      url,
      tag: orgTag,
      summary: "Create a service account",
      access: "users",
      body: z.strictObject({
        username: newUsername,
        role: z.enum(orgRoles).exclude(["owner"]).optional().describe("In the organisation; absent: publisher"),
      }),
      answers: {
        201: { description: "The account", schema: z.object({ user: userSchema, member: memberSchema }) },
      },
      async handle({ params, body, context }) {
        const request = { organisation: params.org ?? "", ...body };
        const { user, member } = await organisations.createServiceAccount(request, { context });
        return json({ user: userFields(user), member: memberFields(member) }, { status: 201 });
      },
    }),
    defineRoute({
      method: "DELETE",
      url: `${url}/:username`,
      tag: orgTag,
      summary: "Delete a service account with its tokens; nobody gets its name again",
      access: "users",
      answers: { 204: { description: "It is gone" } },
      async handle({ params, context }) {
        const { org: organisation = "", username = "" } = params;
        await organisations.deleteServiceAccount({ organisation, username }, { context });
        await rightsChanged();
        return noContent();
      },
    }),
  ];
}
