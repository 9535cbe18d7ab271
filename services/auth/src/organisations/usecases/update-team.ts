import { isDeepStrictEqual } from "node:util";
import type { UpdateTeamRequest } from "@registry/contracts/organisations";
import type { Parts } from "../../parts.ts";
import { asOwner } from "../access.ts";
import { membersByTeam, teamIn } from "../members.ts";
import {
  organisationNotFound,
  parseDescription,
  parseGroups,
  parseLesserRole,
  type Team,
  teamNotFound,
  withRole,
} from "../model/organisation.ts";
import { settle } from "../settle.ts";
import type { OrgUseCase } from "../use-case.ts";
import { toTeamMessage } from "../wire.ts";

/** A new role is copied to every member. */
export const updateTeam: OrgUseCase<"updateTeam"> = (parts) => async (request, context) => {
  const { organisation } = await asOwner(parts, context, request.organisation);
  const org = organisation._id;
  const before = teamIn(organisation, request.name);
  const change = changeIn(parts, request);
  const marked = await parts.organisations.changeTeams(
    org,
    (teams) => replaced(teams, request.name, change),
    request.role === undefined ? undefined : parts.clock.now(),
  );
  if (request.role !== undefined) await parts.withdraw(() => settle(parts, marked));
  const after = await parts.organisations.find(org);
  if (after === null) throw organisationNotFound();
  const team = teamIn(after, request.name);
  const [was, is] = [shown(before), shown(team)];
  context.audit(isDeepStrictEqual(was, is) ? { unchanged: true } : { before: was, after: is });
  return { team: toTeamMessage(team, (await membersByTeam(parts, org)).get(team.name) ?? []) };
};

function changeIn(parts: Parts, { description, role, groups }: UpdateTeamRequest): (team: Team) => Team {
  const texts = {
    ...(description === undefined ? {} : { description: parseDescription(description) }),
    ...(groups === undefined ? {} : { groups: parseGroups(groups.groups) }),
  };
  if (role === undefined) return (team) => ({ ...team, ...texts });
  const parsed = parseLesserRole(role, "team");
  const stamp = parts.ids.unique();
  return (team) => withRole({ ...team, ...texts }, parsed, stamp);
}

function replaced(teams: readonly Team[], name: string, change: (team: Team) => Team): readonly Team[] {
  if (!teams.some((team) => team.name === name)) throw teamNotFound();
  return teams.map((team) => (team.name === name ? change(team) : team));
}

function shown({ description, role, groups }: Team): Pick<Team, "description" | "role" | "groups"> {
  return { description, role, groups };
}
