import { asReader } from "../access.ts";
import { membersByTeam, teamIn } from "../members.ts";
import type { OrgUseCase } from "../use-case.ts";
import { toTeamMessage } from "../wire.ts";

export const getTeam: OrgUseCase<"getTeam"> = (parts) => async (request, context) => {
  const { organisation } = await asReader(parts, context, request.organisation);
  const team = teamIn(organisation, request.name);
  const members = await membersByTeam(parts, organisation._id);
  return { team: toTeamMessage(team, members.get(team.name) ?? []) };
};
