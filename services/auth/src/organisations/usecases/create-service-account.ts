import { parseUsername, refuseReserved } from "../../model/user.ts";
import { createUserDocument } from "../../usecases/create-user-document.ts";
import { toUserMessage } from "../../wire.ts";
import { asOwner } from "../access.ts";
import { isLive, organisationNotFound, parseLesserRole } from "../model/organisation.ts";
import { endServiceAccount } from "../settle.ts";
import type { OrgUseCase } from "../use-case.ts";
import { toMemberMessage } from "../wire.ts";

/** The user and its membership are one document, so there is never one without the other. */
export const createServiceAccount: OrgUseCase<"createServiceAccount"> = (parts) => async (request, context) => {
  const { organisation } = await asOwner(parts, context, request.organisation);
  const org = organisation._id;
  const username = parseUsername(request.username);
  refuseReserved(username);
  const role = parseLesserRole(request.role === "" ? "publisher" : request.role, "service account");
  const user = await createUserDocument(parts, {
    username,
    role: "user",
    grants: [],
    serviceAccountOf: org,
    memberships: [{ org, role, teams: {}, since: parts.clock.now() }],
  });
  if (!isLive(await parts.organisations.find(org))) {
    await endServiceAccount(parts, org, user._id);
    throw organisationNotFound();
  }
  context.audit({ after: { role } });
  return { user: toUserMessage(user), member: toMemberMessage(user, org) };
};
