import { asOwner } from "../access.ts";
import { changeMemberships, levelMember } from "../change-memberships.ts";
import { memberByName, membersByTeam, teamIn } from "../members.ts";
import { membershipIn, withMembership } from "../model/memberships.ts";
import { memberNotFound, organisationNotFound, roleOfTeam, teamNotFound } from "../model/organisation.ts";
import type { OrgUseCase } from "../use-case.ts";
import { toTeamMessage } from "../wire.ts";

export const addTeamMember: OrgUseCase<"addTeamMember"> = (parts) => async (request, context) => {
  const { organisation } = await asOwner(parts, context, request.organisation);
  const org = organisation._id;
  const { name } = teamIn(organisation, request.team);
  const role = roleOfTeam(organisation, name);
  if (role === undefined) throw teamNotFound();
  const member = await memberByName(parts, org, request.username);

  const { written } = await parts.withdraw(async () => {
    const changed = await changeMemberships(parts, member._id, async (user) => {
      const held = membershipIn(user, org);
      if (held === undefined) throw memberNotFound();
      if (Object.hasOwn(held.teams, name)) return undefined;
      return withMembership(user, { ...held, teams: { ...held.teams, [name]: role } });
    });
    // The team may have been changed or deleted since its role was read.
    await levelMember(parts, org, member._id);
    return changed;
  });
  const after = await parts.organisations.find(org);
  if (after === null) throw organisationNotFound();
  const team = teamIn(after, name);
  context.audit(written ? { after: { role: team.role } } : { unchanged: true });
  return { team: toTeamMessage(team, (await membersByTeam(parts, org)).get(name) ?? []) };
};
