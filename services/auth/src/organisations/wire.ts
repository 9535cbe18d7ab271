import type {
  Member,
  Organisation as OrganisationMessage,
  Team as TeamMessage,
} from "@registry/contracts/organisations";
import type { OrgRole } from "@registry/domain";
import type { User } from "../model/user.ts";
import { membershipIn } from "./model/memberships.ts";
import { memberNotFound, type Organisation, type Team } from "./model/organisation.ts";

export function toOrganisationMessage(organisation: Organisation, role: OrgRole | undefined): OrganisationMessage {
  const { _id: name, title, description, createdAt } = organisation;
  return { name, title, description, createdAt, ownRole: role ?? "" };
}

/** @throws where the user is no member */
export function toMemberMessage(user: User, org: string): Member {
  const membership = membershipIn(user, org);
  if (membership === undefined) throw memberNotFound();
  return {
    username: user.username,
    userId: user._id,
    role: membership.role,
    since: membership.since,
    serviceAccount: user.serviceAccountOf !== undefined,
    teams: Object.keys(membership.teams).sort(),
  };
}

export function toTeamMessage(team: Team, members: readonly string[]): TeamMessage {
  const { name, description, role, groups, createdAt } = team;
  return { name, description, role, members: [...members], groups: [...groups], createdAt };
}
