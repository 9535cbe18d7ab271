import { isAdmin, permissionDenied, RegistryError } from "@registry/domain";
import { asReader } from "../access.ts";
import { changeMemberships } from "../change-memberships.ts";
import { memberByName } from "../members.ts";
import { membershipIn, withoutMembership } from "../model/memberships.ts";
import { memberNotFound } from "../model/organisation.ts";
import { leavingOwner } from "../owners.ts";
import type { OrgUseCase } from "../use-case.ts";

/** Out of the organisation and of all of its teams, in one write. */
export const removeMember: OrgUseCase<"removeMember"> = (parts) => async (request, context) => {
  const { organisation, user: caller, role } = await asReader(parts, context, request.organisation);
  const org = organisation._id;
  const isSelf = caller?.username === request.username.toLowerCase();
  if (role !== "owner" && !isAdmin(context.caller) && !isSelf) throw permissionDenied();
  const member = await memberByName(parts, org, request.username);
  if (member.serviceAccountOf !== undefined) {
    const text = "A service account belongs to its organisation; delete the service account instead";
    throw new RegistryError("conflict", "SERVICE_ACCOUNT", text);
  }
  const leave = leavingOwner(parts, org, member._id);
  const { before } = await parts.withdraw(() =>
    changeMemberships(parts, member._id, async (user) => {
      const held = membershipIn(user, org);
      if (held === undefined) throw memberNotFound();
      if (held.role === "owner") await leave();
      return withoutMembership(user, org);
    }),
  );
  const held = membershipIn(before, org);
  context.audit({ before: { role: held?.role, teams: Object.keys(held?.teams ?? {}) } });
  return {};
};
