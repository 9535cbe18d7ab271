import type { HeldMembership } from "../../model/user.ts";
import { type Organisation, roleOfTeam } from "./organisation.ts";

/**
 * What a member's place in one organisation becomes once the identity provider has said which groups the user is in:
 * the user joins every team that names one of them, as a reader of the organisation if it was no member yet, and leaves
 * those where a group had brought it that does so no longer. What was given by hand stays.
 * @param held undefined for who is no member
 * @returns undefined for who is none afterwards; `held` itself where nothing changes
 */
export function followedGroups(
  held: HeldMembership | undefined,
  organisation: Organisation,
  groups: readonly string[],
  now: Date,
): HeldMembership | undefined {
  const due = dueTeams(organisation, groups);
  const before = held?.byGroups?.teams.filter((team) => Object.hasOwn(held.teams, team)) ?? [];
  const left = before.filter((team) => !due.has(team));
  const joined = [...due.keys()].filter((team) => held === undefined || !Object.hasOwn(held.teams, team));
  if (left.length === 0 && joined.length === 0) return held;

  const kept = Object.entries(held?.teams ?? {}).filter(([team]) => !left.includes(team));
  const teams = Object.fromEntries([...kept, ...joined.map((team) => [team, due.get(team) ?? "reader"] as const)]);
  const member = held === undefined || held.byGroups?.member === true;
  const byGroups = { member, teams: [...before.filter((team) => due.has(team)), ...joined] };
  const after: HeldMembership = { ...(held ?? { org: organisation._id, role: "reader", since: now }), teams, byGroups };
  // Whom somebody gave more than the groups did stays for that.
  const isOver = member && after.role === "reader" && Object.keys(teams).length === 0;
  return isOver ? undefined : after;
}

/** Teams that name one of the groups, with what their members hold. */
function dueTeams(organisation: Organisation, groups: readonly string[]): ReadonlyMap<string, HeldMembership["role"]> {
  const has = new Set(groups);
  return new Map(
    organisation.teams.flatMap((team) => {
      const role = roleOfTeam(organisation, team.name);
      return role !== undefined && team.groups.some((group) => has.has(group)) ? [[team.name, role] as const] : [];
    }),
  );
}
