import { invalid, type OrgRole, parseOrgRole, quote } from "@registry/domain";
import type { HeldMembership, User } from "../../model/user.ts";
import type { Parts } from "../../parts.ts";
import { asOwner } from "../access.ts";
import { type Changed, changeMemberships, levelMember } from "../change-memberships.ts";
import { membershipIn, withMembership } from "../model/memberships.ts";
import { isLive, organisationNotFound, parseLesserRole } from "../model/organisation.ts";
import { becomingOwner, leavingOwner } from "../owners.ts";
import type { OrgUseCase } from "../use-case.ts";
import { toMemberMessage } from "../wire.ts";

export const setMember: OrgUseCase<"setMember"> = (parts) => async (request, context) => {
  const role = parseOrgRole(request.role);
  const { organisation } = await asOwner(parts, context, request.organisation);
  const org = organisation._id;
  const user = await parts.users.findOne({ username: request.username.toLowerCase() });
  if (user === null) throw unknownUser(request.username);
  checkMember(user, org, role);

  const { before, after, written } = await parts.withdraw(() => giveRole(parts, org, user, role));
  if (!isLive(await parts.organisations.find(org))) throw organisationNotFound();
  const was = membershipIn(before, org)?.role;
  context.audit({ ...(was === undefined ? {} : { before: { role: was } }), after: { role } });
  if (!written || was === role) context.audit({ unchanged: true });
  return { member: toMemberMessage(after, org) };
};

const unknownUser = (username: string) =>
  invalid("UNKNOWN_USER", `username: there is no active user ${quote(username)} who could be a member`, "/username");

function checkMember(user: User, org: string, role: OrgRole): void {
  const isForeign = user.serviceAccountOf !== undefined && user.serviceAccountOf !== org;
  if (user.disabled || isForeign) throw unknownUser(user.username);
  if (user.serviceAccountOf !== undefined) parseLesserRole(role, "service account");
}

/** An owner who is made one again is listed again as one, should that have been cut off by a crash. */
async function giveRole(parts: Parts, org: string, { _id }: User, role: OrgRole): Promise<Changed> {
  const leave = leavingOwner(parts, org, _id);
  const write = (): Promise<Changed> =>
    changeMemberships(parts, _id, async (user) => {
      checkMember(user, org, role);
      const held = membershipIn(user, org);
      if (held?.role === role && role !== "owner") return undefined;
      if (held?.role === "owner" && role !== "owner") await leave();
      const next: HeldMembership = { ...(held ?? { org, teams: {}, since: parts.clock.now() }), role };
      return withMembership(user, next);
    });
  const changed = await (role === "owner" ? becomingOwner(parts, org, _id, write) : write());
  // The organisation may have been closed since it was read.
  await levelMember(parts, org, _id);
  return changed;
}
