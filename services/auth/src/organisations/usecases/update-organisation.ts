import { asOwner } from "../access.ts";
import { parseDescription, parseTitle } from "../model/organisation.ts";
import type { OrgUseCase } from "../use-case.ts";
import { toOrganisationMessage } from "../wire.ts";

export const updateOrganisation: OrgUseCase<"updateOrganisation"> = (parts) => async (request, context) => {
  const { organisation: before, role } = await asOwner(parts, context, request.name);
  const changes = {
    ...(request.title === undefined ? {} : { title: parseTitle(request.title) }),
    ...(request.description === undefined ? {} : { description: parseDescription(request.description) }),
  };
  if (Object.keys(changes).length === 0) {
    context.audit({ unchanged: true });
    return { organisation: toOrganisationMessage(before, role) };
  }
  const after = await parts.organisations.describe(before._id, changes);
  context.audit({
    before: { title: before.title, description: before.description },
    after: { title: after.title, description: after.description },
  });
  return { organisation: toOrganisationMessage(after, role) };
};
