import { isRegistryError } from "@registry/domain";
import type { HeldMembership, User } from "../model/user.ts";
import type { Parts } from "../parts.ts";
import { changeMemberships, levelMember } from "./change-memberships.ts";
import { membershipIn, withMembership, withoutMembership } from "./model/memberships.ts";
import { isLive, type Organisation } from "./model/organisation.ts";
import { followedGroups } from "./model/teams-for-groups.ts";

/**
 * Brings the teams of a user, who has just signed in, in line with its groups at the identity provider.
 * @param groups all that the user is in
 */
export async function followGroups(parts: Parts, user: User, groups: readonly string[]): Promise<void> {
  const naming = await parts.organisations.withGroups(groups);
  const brought = (user.memberships ?? []).filter(({ byGroups }) => byGroups !== undefined).map(({ org }) => org);
  for (const org of new Set([...naming.map(({ _id }) => _id), ...brought])) {
    await followIn(parts, user, org, groups).catch((error: unknown) => {
      if (!isRegistryError(error) || error.reason !== "TOO_MANY_MEMBERSHIPS") throw error;
      // A right that nobody could give by hand either is no reason to keep somebody out.
      parts.log.warn(
        { username: user.username, org },
        "a team that the user's groups name has no room in its memberships",
      );
    });
  }
}

async function followIn(parts: Parts, user: User, org: string, groups: readonly string[]): Promise<void> {
  const follow = async (current: User): Promise<readonly HeldMembership[] | undefined> => {
    const organisation = await parts.organisations.find(org);
    return isLive(organisation) ? membershipsAfter(parts, current, organisation, groups) : undefined;
  };
  // Most sign-ins change nothing, and so withdraw nothing.
  if ((await follow(user)) === undefined) return;
  await parts.withdraw(async () => {
    await changeMemberships(parts, user._id, follow);
    // The team may have been changed or deleted since its role was read.
    await levelMember(parts, org, user._id);
  });
}

function membershipsAfter(
  parts: Parts,
  user: User,
  organisation: Organisation,
  groups: readonly string[],
): readonly HeldMembership[] | undefined {
  const held = membershipIn(user, organisation._id);
  const after = followedGroups(held, organisation, groups, parts.clock.now());
  if (after === held) return undefined;
  return after === undefined ? withoutMembership(user, organisation._id) : withMembership(user, after);
}
