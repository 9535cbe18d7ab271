import type { User } from "../model/user.ts";
import type { Parts } from "../parts.ts";
import { membershipIn } from "./model/memberships.ts";
import { memberNotFound, type Organisation, type Team, teamNotFound } from "./model/organisation.ts";
import { memberPages } from "./settle.ts";

/** @throws kind `not_found`, reason `MEMBER_NOT_FOUND`, for everybody who is none, known or not */
export async function memberByName(parts: Parts, org: string, username: string): Promise<User> {
  const user = await parts.users.findOne({ username: username.toLowerCase() });
  if (user === null || membershipIn(user, org) === undefined) throw memberNotFound();
  return user;
}

export function teamIn(organisation: Organisation, name: string): Team {
  const team = organisation.teams.find((each) => each.name === name);
  if (team === undefined) throw teamNotFound();
  return team;
}

/** Usernames by team. */
export async function membersByTeam(parts: Parts, org: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const members = new Map<string, string[]>();
  for await (const page of memberPages(parts, org)) {
    for (const user of page) {
      for (const team of Object.keys(membershipIn(user, org)?.teams ?? {})) {
        const listed = members.get(team);
        if (listed === undefined) members.set(team, [user.username]);
        else listed.push(user.username);
      }
    }
  }
  return members;
}
