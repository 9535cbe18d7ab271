import { asOwner } from "../access.ts";
import { membersByTeam, teamIn } from "../members.ts";
import { teamNotFound } from "../model/organisation.ts";
import { settle } from "../settle.ts";
import type { OrgUseCase } from "../use-case.ts";

export const deleteTeam: OrgUseCase<"deleteTeam"> = (parts) => async (request, context) => {
  const { organisation } = await asOwner(parts, context, request.organisation);
  const { name, description, role, groups } = teamIn(organisation, request.name);
  const members = (await membersByTeam(parts, organisation._id)).get(name) ?? [];
  context.audit({ before: { description, role, groups, members } });
  const stamp = parts.ids.unique();
  const marked = await parts.organisations.changeTeams(
    organisation._id,
    (teams) => {
      if (!teams.some((team) => team.name === name)) throw teamNotFound();
      return teams.map((team) => (team.name === name ? { ...team, lowering: { to: null, stamp } } : team));
    },
    parts.clock.now(),
  );
  await settle(parts, marked);
  return {};
};
