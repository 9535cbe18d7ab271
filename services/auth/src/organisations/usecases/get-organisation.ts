import { asReader } from "../access.ts";
import type { OrgUseCase } from "../use-case.ts";
import { toOrganisationMessage } from "../wire.ts";

export const getOrganisation: OrgUseCase<"getOrganisation"> = (parts) => async (request, context) => {
  const { organisation, role } = await asReader(parts, context, request.name);
  return { organisation: toOrganisationMessage(organisation, role) };
};
