import { parseTeamName, RegistryError } from "@registry/domain";
import { asOwner } from "../access.ts";
import { maxTeams, parseDescription, parseGroups, parseLesserRole, type Team } from "../model/organisation.ts";
import type { OrgUseCase } from "../use-case.ts";
import { toTeamMessage } from "../wire.ts";

export const createTeam: OrgUseCase<"createTeam"> = (parts) => async (request, context) => {
  const { organisation } = await asOwner(parts, context, request.organisation);
  const team: Team = {
    name: parseTeamName(request.name),
    description: parseDescription(request.description),
    role: parseLesserRole(request.role === "" ? "reader" : request.role, "team"),
    groups: parseGroups(request.groups),
    createdAt: parts.clock.now(),
  };
  await parts.organisations.changeTeams(organisation._id, (teams) => withTeam(teams, team), undefined);
  const { description, role, groups } = team;
  context.audit({ after: { description, role, groups } });
  return { team: toTeamMessage(team, []) };
};

/** By name. */
function withTeam(teams: readonly Team[], team: Team): readonly Team[] {
  if (teams.some(({ name }) => name === team.name)) {
    throw new RegistryError("already_exists", "TEAM_EXISTS", "The organisation has a team of this name");
  }
  if (teams.length >= maxTeams) {
    const text = `An organisation has at most ${maxTeams} teams; delete one first`;
    throw new RegistryError("conflict", "TOO_MANY_TEAMS", text);
  }
  return [...teams, team].sort((a, b) => (a.name < b.name ? -1 : 1));
}
