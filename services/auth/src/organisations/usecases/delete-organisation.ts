import { isAdmin, permissionDenied } from "@registry/domain";
import { asReader } from "../access.ts";
import { organisationNotFound } from "../model/organisation.ts";
import { settle } from "../settle.ts";
import type { OrgUseCase } from "../use-case.ts";

/** Nobody joins any more, then everybody loses what came from it, then it is gone. One that a crash cut off goes on. */
export const deleteOrganisation: OrgUseCase<"deleteOrganisation"> = (parts) => async (request, context) => {
  const { organisation, role } = await asReader(parts, context, request.name);
  if (role !== "owner" && !isAdmin(context.caller)) throw permissionDenied();
  const { _id: name, title, description } = organisation;
  context.audit({ before: { title, description } });
  const closing = await parts.organisations.beginClosing(name, parts.clock.now());
  if (closing === null) throw organisationNotFound();
  await settle(parts, closing);
  return {};
};
