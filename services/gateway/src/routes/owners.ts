import type { PluginOwner } from "@registry/contracts/catalog";
import { orgNamePattern, orgRoles } from "@registry/domain";
import { z } from "zod";
import { username, where } from "../forms.ts";
import { pluginFields } from "../info.ts";
import { pluginName } from "../input.ts";
import type { Parts } from "../parts.ts";
import { type Answer, defineRoute, json, type Route } from "../route.ts";
import { pluginSchema } from "../schemas.ts";
import { orNull } from "../words.ts";

const ownersSchema = z.object({
  owners: z.array(
    z.object({
      type: z.enum(["user", "organisation", "team"]),
      name: z.string(),
      role: z.enum(orgRoles).nullable().describe("null for a team, whose role its organisation tells"),
    }),
  ),
});

const answer = (owners: readonly PluginOwner[]): Answer =>
  json({ owners: owners.map(({ type, name, role }) => ({ type, name, role: orNull(role) })) });

/** Who may do what with one plugin, and to whom it belongs. */
export function ownerRoutes(parts: Parts): Route[] {
  const url = "/api/v1/plugins/:name/owners";
  const tag = "owners";
  const answers = { 200: { description: "Who holds a role, the owner first", schema: ownersSchema } };
  return [
    defineRoute({
      method: "GET",
      url,
      tag,
      summary: "Who holds a role on a plugin; for those who hold one",
      access: "users",
      answers,
      async handle({ params, context }) {
        return answer((await parts.catalog.listOwners({ name: pluginName(params.name) }, { context })).owners);
      },
    }),
    defineRoute({
      method: "PUT",
      url: `${url}/:username`,
      tag,
      summary: "Give a user a role on a plugin, or another one",
      access: "users",
      body: z.strictObject({ role: z.enum(["maintainer", "publisher", "reader"]) }),
      answers,
      async handle({ params, body, context }) {
        const name = pluginName(params.name);
        const request = { name, username: params.username ?? "", role: body.role };
        const { owners } = await parts.catalog.setCollaborator(request, { context });
        parts.changed(name);
        return answer(owners);
      },
    }),
    defineRoute({
      method: "DELETE",
      url: `${url}/:username`,
      tag,
      summary: "Take a user's role on a plugin; one's own may always be given up",
      access: "users",
      answers,
      async handle({ params, context }) {
        const name = pluginName(params.name);
        const { owners } = await parts.catalog.removeCollaborator(
          { name, username: params.username ?? "" },
          { context },
        );
        parts.changed(name);
        return answer(owners);
      },
    }),
    defineRoute({
      method: "POST",
      url: "/api/v1/plugins/:name/transfer",
      tag,
      summary: "Hand a plugin to a user or an organisation; roles of single users and its team end",
      access: "users",
      body: z
        .strictObject({
          owner: username.describe("Username or name of an organisation"),
          owner_type: z.enum(["user", "organisation"]).optional().describe("Default user"),
        })
        .meta(where("owner_type", "organisation", { owner: { pattern: orgNamePattern } })),
      answers: { 200: { description: "As it is now", schema: pluginSchema } },
      async handle({ params, body, context }) {
        const name = pluginName(params.name);
        const request = { name, owner: body.owner, ownerType: body.owner_type ?? "user" };
        const { plugin } = await parts.catalog.transferPlugin(request, { context });
        parts.changed(name);
        if (plugin === undefined) throw new TypeError("the catalog answered without a plugin");
        return json(pluginFields(plugin));
      },
    }),
  ];
}
