import { RegistryError } from "@registry/domain";
import { orgClaims } from "@registry/kit";
import type { HeldMembership, User } from "../../model/user.ts";
import { isLive, type Organisation, roleOfTeam } from "./organisation.ts";

const maxOrganisations = 50;
const maxTeamsInOne = 50;
/** As JSON. Memberships travel in every internal token, beside rights; together they stay below some 8 KB. */
const maxLength = 3072;

export function membershipIn(user: Pick<User, "memberships">, org: string): HeldMembership | undefined {
  return user.memberships?.find((membership) => membership.org === org);
}

/**
 * Puts in place of the membership of the same organisation, or adds.
 * @throws kind `conflict`, reason `TOO_MANY_MEMBERSHIPS`
 */
export function withMembership(user: Pick<User, "memberships">, changed: HeldMembership): readonly HeldMembership[] {
  const all = [...withoutMembership(user, changed.org), tidied(changed)].sort((a, b) => (a.org < b.org ? -1 : 1));
  if (all.length > maxOrganisations) throw tooMany(`a user is a member of at most ${maxOrganisations} organisations`);
  if (Object.keys(changed.teams).length > maxTeamsInOne) {
    throw tooMany(`a member is in at most ${maxTeamsInOne} teams of an organisation`);
  }
  if (JSON.stringify(orgClaims(all)).length > maxLength) {
    throw tooMany(`the names of a user's organisations and teams have at most ${maxLength} characters together`);
  }
  return all;
}

/** A team that was left is not held by a group any more, should it be given by hand later. */
function tidied(membership: HeldMembership): HeldMembership {
  const { byGroups, ...rest } = membership;
  if (byGroups === undefined) return membership;
  const teams = byGroups.teams.filter((team) => Object.hasOwn(rest.teams, team));
  return byGroups.member || teams.length > 0 ? { ...rest, byGroups: { ...byGroups, teams } } : rest;
}

export function withoutMembership(user: Pick<User, "memberships">, org: string): readonly HeldMembership[] {
  return (user.memberships ?? []).filter((membership) => membership.org !== org);
}

function tooMany(rule: string): RegistryError {
  return new RegistryError("conflict", "TOO_MANY_MEMBERSHIPS", `Too many memberships: ${rule}; end others first`);
}

/**
 * What the user may hold by the organisation as it stands now: no team that it does not have, none with another role,
 * and nothing at all once it is closing.
 * @returns undefined where that is what the user holds
 */
export function levelled(user: User, organisation: Organisation): readonly HeldMembership[] | undefined {
  const held = membershipIn(user, organisation._id);
  if (held === undefined) return undefined;
  if (!isLive(organisation)) return withoutMembership(user, held.org);
  const wrong = Object.entries(held.teams).filter(([team, role]) => role !== roleOfTeam(organisation, team));
  if (wrong.length === 0) return undefined;
  const teams = Object.keys(held.teams).flatMap((team) => {
    const role = roleOfTeam(organisation, team);
    return role === undefined ? [] : [[team, role] as const];
  });
  return (user.memberships ?? []).map((each) => (each === held ? { ...held, teams: Object.fromEntries(teams) } : each));
}
