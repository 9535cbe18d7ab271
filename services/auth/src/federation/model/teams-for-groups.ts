/** A team whose members are those of groups of the identity provider, beside those that it has by hand. */
export interface GroupedTeam {
  readonly org: string;
  readonly team: string;
  readonly groups: readonly string[];
}

/** A place in a team. */
export interface TeamPlace {
  readonly org: string;
  readonly team: string;
  /** False: by hand, which no group takes away. */
  readonly byGroup: boolean;
}

export interface TeamMoves {
  readonly join: readonly Pick<GroupedTeam, "org" | "team">[];
  readonly leave: readonly Pick<GroupedTeam, "org" | "team">[];
}

const keyOf = ({ org, team }: Pick<GroupedTeam, "org" | "team">): string => `${org}/${team}`;
const place = ({ org, team }: Pick<GroupedTeam, "org" | "team">): Pick<GroupedTeam, "org" | "team"> => ({ org, team });

/**
 * What a sign-in changes: whoever is in a group of a team joins the team, and leaves those where a group had brought it
 * that does so no longer.
 * @param teams all that name at least one of the groups; others do no harm
 * @param places where the user is now
 */
export function teamsForGroups(
  teams: readonly GroupedTeam[],
  groups: readonly string[],
  places: readonly TeamPlace[],
): TeamMoves {
  const has = new Set(groups);
  const due = new Map(
    teams.filter((team) => team.groups.some((group) => has.has(group))).map((team) => [keyOf(team), team]),
  );
  const held = new Set(places.map(keyOf));
  return {
    join: [...due.values()].filter((team) => !held.has(keyOf(team))).map(place),
    leave: places.filter((held) => held.byGroup && !due.has(keyOf(held))).map(place),
  };
}
