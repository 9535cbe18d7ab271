import { type Caller, inScope, inScopeSomewhere, isAdmin, permissionDenied, readPage } from "@registry/domain";
import type { User } from "../../model/user.ts";
import type { Parts } from "../../parts.ts";
import { callerUser } from "../../usecases/caller-user.ts";
import { membershipIn } from "../model/memberships.ts";
import type { Organisation } from "../model/organisation.ts";
import type { OrgUseCase } from "../use-case.ts";
import { toOrganisationMessage } from "../wire.ts";

/** By name; the page token is the last name of the page before. */
export const listOrganisations: OrgUseCase<"listOrganisations"> = (parts) => async (request, context) => {
  const { caller } = context;
  if (caller.type !== "user" || !inScopeSomewhere(caller, "read")) throw permissionDenied();
  if (request.all && !isAdmin(caller)) throw permissionDenied();
  const { size, after } = readPage(request.page);
  const user = await callerUser(parts, context);
  const found = request.all ? await parts.organisations.list(after, size + 1) : await own(parts, caller, user, after);
  const organisations = found.slice(0, size);
  return {
    organisations: organisations.map((each) => toOrganisationMessage(each, membershipIn(user, each._id)?.role)),
    nextPageToken: found.length > size ? (organisations.at(-1)?._id ?? "") : "",
  };
};

async function own(parts: Parts, caller: Caller, user: User, after: string): Promise<Organisation[]> {
  const names = (user.memberships ?? []).map(({ org }) => org);
  const shown = names.filter((org) => org > after && caller.type === "user" && inScope(caller, "read", `@${org}/*`));
  return shown.length === 0 ? [] : parts.organisations.named(shown);
}
