import { invalid, isLongerThan } from "@registry/domain";
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

const defaultSize = 50;
const maxSize = 500;
const maxPageToken = 64;

/** Of a list by name: how many are asked for, and the name that the page before ended with. */
export function parsePage(page: { pageSize: number; pageToken: string } | undefined): { size: number; after: string } {
  const size = page?.pageSize || defaultSize;
  if (size < 1 || size > maxSize) throw invalid("INVALID_PAGE_SIZE", `page_size must be 1 to ${maxSize}`, "/page_size");
  const after = page?.pageToken ?? "";
  if (!isLongerThan(after, maxPageToken)) return { size, after };
  throw invalid("INVALID_PAGE_TOKEN", "page_token must be next_page_token of the page before", "/page_token");
}
