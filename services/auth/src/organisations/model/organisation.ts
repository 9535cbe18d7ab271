import {
  invalid,
  isLongerThan,
  isPlainText,
  notFound,
  type OrgRole,
  orgRoles,
  parseOrgRole,
  plainTextRule,
  quote,
  RegistryError,
} from "@registry/domain";

/** What a team is about to become less than it is: shown once every member's rights are down to it. */
export type Lowering = {
  /** Null: the team goes. */
  readonly to: TeamRole | null;
  readonly stamp: string;
};

export type TeamRole = Exclude<OrgRole, "owner">;

export type Team = {
  readonly name: string;
  readonly description: string;
  readonly role: TeamRole;
  /** Of the company's identity provider. */
  readonly groups: readonly string[];
  readonly createdAt: Date;
  readonly lowering?: Lowering;
};

export interface Organisation {
  /** The name, which is the namespace as well. */
  readonly _id: string;
  /** What names that look alike have in common. */
  readonly skeleton: string;
  readonly title: string;
  readonly description: string;
  readonly createdAt: Date;
  readonly createdBy: number;
  /** It is being deleted: nobody joins any more, and it is there until its last member has lost every right from it. */
  readonly closing?: true;
  /** A tombstone: for everybody it is as if it had never been, but its name is given to nobody. */
  readonly deletedAt?: Date;
  /** Some of its active owners, never anybody else: the last one here cannot leave. */
  readonly owners: readonly { readonly id: number }[];
  /** Those who are being made owners. */
  readonly promoting: readonly { readonly id: number; readonly stamp: string }[];
  readonly teams: readonly Team[];
  /** Every group that one of the teams names, to be found by. */
  readonly groups?: readonly string[];
  /** Counts the changes of `teams` and `closing`. */
  readonly revision: number;
  /** When what members hold is held against this document again, and until when that is repeated. */
  readonly settleAt?: Date;
  readonly settleUntil?: Date;
}

export const maxTeams = 100;
const maxTitle = 100;
const maxDescription = 1000;
const maxGroups = 20;
const maxGroup = 200;

/** What those are told who may not know whether it exists, too. */
export const organisationNotFound = (): RegistryError => notFound("ORGANISATION_NOT_FOUND", "Organisation not found");
export const teamNotFound = (): RegistryError => notFound("TEAM_NOT_FOUND", "Team not found");
export const memberNotFound = (): RegistryError => notFound("MEMBER_NOT_FOUND", "Member not found");
export const nameTaken = (): RegistryError =>
  new RegistryError("already_exists", "NAME_TAKEN", "This name belongs to an organisation or a user; choose another");

/** Whether members may be added to it and changed. */
export function isLive(organisation: Organisation | null): organisation is Organisation {
  return organisation !== null && organisation.closing === undefined && organisation.deletedAt === undefined;
}

export function parseTitle(text: string): string {
  return parseText(text, maxTitle, "title");
}

export function parseDescription(text: string): string {
  return parseText(text, maxDescription, "description");
}

function parseText(text: string, max: number, field: "title" | "description"): string {
  if (!isPlainText(text)) throw invalid("INVALID_TEXT", `${field}: ${plainTextRule}`, `/${field}`);
  if (!isLongerThan(text, max)) return text;
  throw invalid("INVALID_TEXT", `${field}: is longer than ${max} characters`, `/${field}`);
}

/** Without duplicates. */
export function parseGroups(groups: readonly string[]): readonly string[] {
  const distinct = [...new Set(groups)];
  if (distinct.length > maxGroups) {
    throw invalid("INVALID_GROUP", `groups: a team has at most ${maxGroups}`, "/groups");
  }
  const wrong = groups.findIndex((group) => group === "" || isLongerThan(group, maxGroup) || !isPlainText(group));
  if (wrong < 0) return distinct;
  const rule = `use 1 to ${maxGroup} characters of plain text`;
  throw invalid("INVALID_GROUP", `groups: ${quote(groups[wrong] ?? "")} is no group; ${rule}`, `/groups/${wrong}`);
}

/** Of a team or of a service account: neither is ever an owner. */
export function parseLesserRole(text: string, whose: "team" | "service account"): TeamRole {
  const role = parseOrgRole(text);
  if (role !== "owner") return role;
  throw invalid("INVALID_ROLE", `role: a ${whose} is never an owner; use maintainer, publisher or reader`, "/role");
}

/** The role that members of the team hold, also while it is being lowered; undefined where they hold none. */
export function roleOfTeam(organisation: Organisation, team: string): TeamRole | undefined {
  const found = organisation.teams.find(({ name }) => name === team);
  if (found === undefined || !isLive(organisation)) return undefined;
  return found.lowering === undefined ? found.role : (found.lowering.to ?? undefined);
}

/** The team with another role: at once where it becomes more, else once its members' rights are down to it. */
export function withRole(team: Team, role: TeamRole, stamp: string): Team {
  const { lowering, ...rest } = team;
  const now = lowering === undefined ? team.role : lowering.to;
  const isMore = now === null || orgRoles.indexOf(role) <= orgRoles.indexOf(now);
  return isMore ? { ...rest, role } : { ...rest, lowering: { to: role, stamp } };
}

/** The teams after members' rights were brought down as these marks say. */
export function lowered(teams: readonly Team[], stamps: ReadonlySet<string>): readonly Team[] {
  return teams.flatMap((team) => {
    const { lowering, ...rest } = team;
    if (lowering === undefined || !stamps.has(lowering.stamp)) return [team];
    return lowering.to === null ? [] : [{ ...rest, role: lowering.to }];
  });
}

export function stampsIn(teams: readonly Team[]): ReadonlySet<string> {
  return new Set(teams.flatMap(({ lowering }) => (lowering === undefined ? [] : [lowering.stamp])));
}
