import { asOwner } from "../access.ts";
import { changeMemberships } from "../change-memberships.ts";
import { memberByName, membersByTeam, teamIn } from "../members.ts";
import { membershipIn, withMembership } from "../model/memberships.ts";
import { memberNotFound } from "../model/organisation.ts";
import type { OrgUseCase } from "../use-case.ts";
import { toTeamMessage } from "../wire.ts";

export const removeTeamMember: OrgUseCase<"removeTeamMember"> = (parts) => async (request, context) => {
  const { organisation } = await asOwner(parts, context, request.organisation);
  const org = organisation._id;
  const team = teamIn(organisation, request.team);
  const member = await memberByName(parts, org, request.username);
  await parts.withdraw(() =>
    changeMemberships(parts, member._id, async (user) => {
      const held = membershipIn(user, org);
      if (held === undefined || !Object.hasOwn(held.teams, team.name)) throw memberNotFound();
      const { [team.name]: _, ...teams } = held.teams;
      return withMembership(user, { ...held, teams });
    }),
  );
  context.audit({ before: { role: team.role } });
  return { team: toTeamMessage(team, (await membersByTeam(parts, org)).get(team.name) ?? []) };
};
