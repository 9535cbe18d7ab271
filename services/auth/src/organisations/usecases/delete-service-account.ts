import { notFound } from "@registry/domain";
import { asOwner } from "../access.ts";
import { membershipIn } from "../model/memberships.ts";
import { endServiceAccount } from "../settle.ts";
import type { OrgUseCase } from "../use-case.ts";

/** The same request again has the same answer, and does what a crash left undone. */
export const deleteServiceAccount: OrgUseCase<"deleteServiceAccount"> = (parts) => async (request, context) => {
  const { organisation } = await asOwner(parts, context, request.organisation);
  const org = organisation._id;
  const user = await parts.users.findOne({ username: request.username.toLowerCase() });
  if (user === null || user.serviceAccountOf !== org) {
    throw notFound("SERVICE_ACCOUNT_NOT_FOUND", "Service account not found");
  }
  const held = membershipIn(user, org);
  if (held === undefined) context.audit({ unchanged: true });
  else context.audit({ before: { role: held.role, teams: Object.keys(held.teams) } });
  await parts.withdraw(() => endServiceAccount(parts, org, user._id));
  return {};
};
