import type { Team } from "@registry/contracts/organisations";
import { orgRoles } from "@registry/domain";
import { z } from "zod";
import { teamName } from "../forms.ts";
import { plainText } from "../input.ts";
import { teamSchema } from "../organisation-schemas.ts";
import type { Parts } from "../parts.ts";
import { defineRoute, json, noContent, type Route } from "../route.ts";
import { timeText } from "../words.ts";
import { descriptionText, orgTag, orgUrl } from "./organisations.ts";

const groups = z
  .array(plainText(1, 200, "expected 1 to 200 characters, not all of them blank"))
  .max(20)
  .describe("Of the company's identity provider");
const role = z.enum(orgRoles).exclude(["owner"]).describe("On the plugins that are assigned to the team");

function teamFields(team: Team | undefined): object {
  if (team === undefined) throw new TypeError("auth answered without a team");
  const { createdAt, ...fields } = team;
  return { ...fields, created_at: timeText(createdAt) };
}

/** Some of an organisation's members, with a role on some of its plugins. */
export function teamRoutes(parts: Parts): Route[] {
  return [...ownRoutes(parts), ...memberRoutes(parts)];
}

function ownRoutes({ organisations, rightsChanged }: Parts): Route[] {
  const url = `${orgUrl}/teams`;
  const shown = { description: "The team", schema: teamSchema };
  return [
    defineRoute({
      method: "GET",
      url,
      tag: orgTag,
      summary: "Teams, by name",
      access: "users",
      answers: { 200: { description: "All of them", schema: z.object({ teams: z.array(teamSchema) }) } },
      async handle({ params, context }) {
        const { teams } = await organisations.listTeams({ organisation: params.org ?? "" }, { context });
        return json({ teams: teams.map(teamFields) });
      },
    }),
    defineRoute({
      method: "POST",
      url,
      tag: orgTag,
      summary: "Create a team",
      access: "users",
      body: z.strictObject({
        name: teamName,
        description: descriptionText.optional(),
        role: role.optional(),
        groups: groups.optional(),
      }),
      answers: { 201: shown },
      async handle({ params, body, context }) {
        const request = { organisation: params.org ?? "", ...body };
        return json(teamFields((await organisations.createTeam(request, { context })).team), { status: 201 });
      },
    }),
    defineRoute({
      method: "GET",
      url: `${url}/:team`,
      tag: orgTag,
      summary: "One team with its members",
      access: "users",
      answers: { 200: shown },
      async handle({ params, context }) {
        const { org: organisation = "", team: name = "" } = params;
        return json(teamFields((await organisations.getTeam({ organisation, name }, { context })).team));
      },
    }),
    defineRoute({
      method: "PATCH",
      url: `${url}/:team`,
      tag: orgTag,
      summary: "Change a team; absent fields stay",
      access: "users",
      body: z.strictObject({
        description: descriptionText.optional(),
        role: role.optional(),
        groups: groups.optional(),
      }),
      answers: { 200: shown },
      async handle({ params, body, context }) {
        const { org: organisation = "", team: name = "" } = params;
        const { groups: list, ...rest } = body;
        const change = list === undefined ? rest : { ...rest, groups: { groups: list } };
        const { team } = await organisations.updateTeam({ organisation, name, ...change }, { context });
        await rightsChanged();
        return json(teamFields(team));
      },
    }),
    defineRoute({
      method: "DELETE",
      url: `${url}/:team`,
      tag: orgTag,
      summary: "Delete a team; its members stay in the organisation",
      access: "users",
      answers: { 204: { description: "It is gone" } },
      async handle({ params, context }) {
        const { org: organisation = "", team: name = "" } = params;
        await organisations.deleteTeam({ organisation, name }, { context });
        await rightsChanged();
        return noContent();
      },
    }),
  ];
}

function memberRoutes({ organisations, rightsChanged }: Parts): Route[] {
  const url = `${orgUrl}/teams/:team/members/:username`;
  return [
    defineRoute({
      method: "PUT",
      url,
      tag: orgTag,
      summary: "Add a member of the organisation to a team",
      access: "users",
      answers: { 200: { description: "The team", schema: teamSchema } },
      async handle({ params, context }) {
        const { org: organisation = "", team = "", username = "" } = params;
        const answer = await organisations.addTeamMember({ organisation, team, username }, { context });
        await rightsChanged();
        return json(teamFields(answer.team));
      },
    }),
    defineRoute({
      method: "DELETE",
      url,
      tag: orgTag,
      summary: "Take a member out of a team",
      access: "users",
      answers: { 204: { description: "It is in the team no more" } },
      async handle({ params, context }) {
        const { org: organisation = "", team = "", username = "" } = params;
        await organisations.removeTeamMember({ organisation, team, username }, { context });
        await rightsChanged();
        return noContent();
      },
    }),
  ];
}
