import { asReader } from "../access.ts";
import { membersByTeam } from "../members.ts";
import type { OrgUseCase } from "../use-case.ts";
import { toTeamMessage } from "../wire.ts";

export const listTeams: OrgUseCase<"listTeams"> = (parts) => async (request, context) => {
  const { organisation } = await asReader(parts, context, request.organisation);
  const members = await membersByTeam(parts, organisation._id);
  return { teams: organisation.teams.map((team) => toTeamMessage(team, members.get(team.name) ?? [])) };
};
