import { isAdmin, parseOrgName, RegistryError, skeletonOf, type UserCaller, unauthenticated } from "@registry/domain";
import type { User } from "../../model/user.ts";
import type { Parts } from "../../parts.ts";
import { callerUser } from "../../usecases/caller-user.ts";
import { claimNamespace } from "../../usecases/claim-namespace.ts";
import { changeMemberships, levelMember } from "../change-memberships.ts";
import { membershipIn, withMembership } from "../model/memberships.ts";
import { isLive, nameTaken, type Organisation, parseDescription, parseTitle } from "../model/organisation.ts";
import { becomingOwner } from "../owners.ts";
import type { OrgUseCase } from "../use-case.ts";
import { toOrganisationMessage } from "../wire.ts";

/**
 * Claims the name, makes the organisation, then its first owner. Where a crash came before the last step, the same
 * request again takes it.
 */
export const createOrganisation: OrgUseCase<"createOrganisation"> = (parts) => async (request, context) => {
  if (context.caller.type !== "user") throw unauthenticated();
  const creator = await callerUser(parts, context);
  refuseOthers(parts, context.caller, creator);
  const name = parseOrgName(request.name);
  const wanted = { title: parseTitle(request.title), description: parseDescription(request.description) };
  // Before anything is made: whether the creator may hold one more.
  withMembership(creator, ownership(parts, name));

  const organisation = (await unfinished(parts, name, creator)) ?? (await make(parts, name, wanted, creator));
  await parts.withdraw(() => makeOwner(parts, name, creator));
  context.audit({ after: { ...wanted, owner: creator.username } });
  return { organisation: toOrganisationMessage(organisation, "owner") };
};

function refuseOthers({ config }: Parts, caller: UserCaller, { serviceAccountOf }: User): void {
  const allowed = { admins: isAdmin(caller), publishers: caller.role !== "user", users: true };
  if (allowed[config.ORGANISATION_CREATION] && serviceAccountOf === undefined) return;
  const who = { admins: "administrators", publishers: "publishers and administrators", users: "people" };
  const text = `Organisations are created by ${who[config.ORGANISATION_CREATION]} here; ask one of them`;
  throw new RegistryError("permission_denied", "ORGANISATION_CREATION_DENIED", text);
}

function ownership(parts: Parts, org: string) {
  return { org, role: "owner", teams: {}, since: parts.clock.now() } as const;
}

/** One that the same creator made and a crash left without anybody. */
async function unfinished(parts: Parts, name: string, creator: User): Promise<Organisation | undefined> {
  const found = await parts.organisations.find(name);
  if (!isLive(found) || found.createdBy !== creator._id || found.owners.length > 0) return undefined;
  return (await parts.users.findOne({ "memberships.org": name })) === null ? found : undefined;
}

async function make(
  parts: Parts,
  name: string,
  texts: Pick<Organisation, "title" | "description">,
  creator: User,
): Promise<Organisation> {
  const claim = await claimNamespace(parts, name, "organisation");
  if (claim === undefined) throw nameTaken();
  const organisation: Organisation = {
    _id: name,
    skeleton: skeletonOf(name),
    ...texts,
    createdAt: parts.clock.now(),
    createdBy: creator._id,
    owners: [],
    promoting: [],
    teams: [],
    revision: 0,
  };
  try {
    // Users from before organisations have made no claim.
    if ((await parts.users.findOne({ username: name })) !== null) throw nameTaken();
    await parts.organisations.insert(organisation);
  } catch (error) {
    if (error instanceof RegistryError && error.kind !== "unavailable") await parts.namespaces.release(claim);
    throw error;
  }
  if (await parts.namespaces.holds(claim)) return organisation;
  await parts.organisations.remove(name);
  throw nameTaken();
}

async function makeOwner(parts: Parts, name: string, { _id }: User): Promise<void> {
  await becomingOwner(parts, name, _id, () =>
    changeMemberships(parts, _id, async (user) =>
      membershipIn(user, name) === undefined ? withMembership(user, ownership(parts, name)) : user.memberships,
    ),
  );
  await levelMember(parts, name, _id);
}
