import { inScope, isAdmin, type OrgRole, permissionDenied } from "@registry/domain";
import type { CallContext } from "@registry/kit";
import type { User } from "../model/user.ts";
import type { Parts } from "../parts.ts";
import { callerUser } from "../usecases/caller-user.ts";
import { membershipIn } from "./model/memberships.ts";
import { isLive, type Organisation, organisationNotFound } from "./model/organisation.ts";

export interface Reach {
  readonly organisation: Organisation;
  /** Undefined for services. */
  readonly user: User | undefined;
  /** The caller's; undefined for administrators who are no members. */
  readonly role: OrgRole | undefined;
}

/**
 * For who may read about the organisation: members, administrators, and services. The rights are those stored now, not
 * those of the time at which the token was made.
 * @throws kind `not_found`, the same for everybody else and for what does not exist
 */
export async function asReader(parts: Parts, context: CallContext, name: string): Promise<Reach> {
  const { caller } = context;
  if (caller.type === "service") return { organisation: await standing(parts, name), user: undefined, role: undefined };
  // Before anything is looked up: what a scoped token is told does not depend on what there is.
  if (caller.type !== "user" || !inScope(caller, "read", `@${name}/*`)) throw permissionDenied();
  const user = await callerUser(parts, context);
  const role = membershipIn(user, name)?.role;
  if (role === undefined && !isAdmin(caller)) throw organisationNotFound();
  return { organisation: await standing(parts, name), user, role };
}

/**
 * For who may change it: owners and administrators.
 * @throws kind `permission_denied` for other members
 */
export async function asOwner(parts: Parts, context: CallContext, name: string): Promise<Reach> {
  const reach = await asReader(parts, context, name);
  if (reach.role !== "owner" && !isAdmin(context.caller)) throw permissionDenied();
  if (!isLive(reach.organisation)) throw organisationNotFound();
  return reach;
}

async function standing(parts: Parts, name: string): Promise<Organisation> {
  const organisation = await parts.organisations.find(name);
  if (organisation === null || organisation.deletedAt !== undefined) throw organisationNotFound();
  return organisation;
}
