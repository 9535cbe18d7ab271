import type { Organisation } from "@registry/contracts/organisations";
import { z } from "zod";
import { orgName } from "../forms.ts";
import { flagParameter, integerParameter, plainText, textParameter } from "../input.ts";
import { organisationSchema } from "../organisation-schemas.ts";
import type { Parts } from "../parts.ts";
import { defineRoute, json, noContent, type Route } from "../route.ts";
import { orNull, timeText } from "../words.ts";

/** What every route of organisations begins with. */
export const orgUrl = "/api/v1/orgs/:org";
export const orgTag = "organisations";

const title = plainText(0, 100, "expected a text of at most 100 characters");
const description = plainText(0, 1000, "expected a text of at most 1000 characters");

/** Of a team, too. */
export const descriptionText = description;

function organisationFields(organisation: Organisation | undefined): object {
  if (organisation === undefined) throw new TypeError("auth answered without an organisation");
  const { name, title, description, createdAt, ownRole } = organisation;
  return { name, title, description, created_at: timeText(createdAt), own_role: orNull(ownRole) };
}

/** Who owns plugins together. Somebody who is no member finds nothing here. */
export function organisationRoutes({ organisations, rightsChanged }: Parts): Route[] {
  const shown = { description: "The organisation", schema: organisationSchema };
  return [
    defineRoute({
      method: "GET",
      url: "/api/v1/orgs",
      tag: orgTag,
      summary: "One's own organisations, by name",
      access: "users",
      query: z.object({
        limit: integerParameter(1, 500, 50),
        cursor: textParameter(64),
        all: flagParameter().describe("Administrators: also those that they are no members of"),
      }),
      answers: {
        200: {
          description: "`next_cursor` is null on the last page",
          schema: z.object({ organisations: z.array(organisationSchema), next_cursor: z.string().nullable() }),
        },
      },
      async handle({ query, context }) {
        const page = { pageSize: query.limit, pageToken: query.cursor ?? "" };
        const answer = await organisations.listOrganisations({ page, all: query.all ?? false }, { context });
        const found = answer.organisations.map(organisationFields);
        return json({ organisations: found, next_cursor: orNull(answer.nextPageToken) });
      },
    }),
    defineRoute({
      method: "POST",
      url: "/api/v1/orgs",
      tag: orgTag,
      summary: "Create an organisation, and become its first owner",
      access: "users",
      body: z.strictObject({ name: orgName, title: title.optional(), description: description.optional() }),
      answers: { 201: shown },
      async handle({ body, context }) {
        const { organisation } = await organisations.createOrganisation(body, { context });
        await rightsChanged();
        return json(organisationFields(organisation), { status: 201 });
      },
    }),
    defineRoute({
      method: "GET",
      url: orgUrl,
      tag: orgTag,
      summary: "One organisation",
      access: "users",
      answers: { 200: shown },
      async handle({ params, context }) {
        const { organisation } = await organisations.getOrganisation({ name: params.org ?? "" }, { context });
        return json(organisationFields(organisation));
      },
    }),
    defineRoute({
      method: "PATCH",
      url: orgUrl,
      tag: orgTag,
      summary: "Change its texts; absent fields stay",
      access: "users",
      body: z.strictObject({ title: title.optional(), description: description.optional() }),
      answers: { 200: shown },
      async handle({ params, body, context }) {
        const request = { name: params.org ?? "", ...body };
        return json(organisationFields((await organisations.updateOrganisation(request, { context })).organisation));
      },
    }),
    defineRoute({
      method: "DELETE",
      url: orgUrl,
      tag: orgTag,
      summary: "Delete it with every right that came from it; nobody gets its name again",
      access: "users",
      answers: { 204: { description: "It is gone" } },
      async handle({ params, context }) {
        await organisations.deleteOrganisation({ name: params.org ?? "" }, { context });
        await rightsChanged();
        return noContent();
      },
    }),
  ];
}
