import {
  grantedOn,
  inScope,
  invalid,
  isRegistryError,
  may,
  namespaceOf,
  permissionDenied,
  quote,
  RegistryError,
  type UserCaller,
} from "@registry/domain";
import type { PassedOn } from "@registry/kit";
import { publishesIn } from "../model/access.ts";
import type { Ownership } from "../model/plugin.ts";
import type { Parts } from "../parts.ts";
import type { Candidate } from "./candidate.ts";

type AskAuth = Pick<Parts, "auth" | "organisations">;
/**
 * To whom a new name will belong: the organisation of its namespace, the organisation that was asked for, or the publisher.
 * @throws `permission_denied`, also where the namespace is somebody else's; `rejected` NAMESPACE_UNKNOWN, told to those
 *   alone who may publish anywhere; `invalid_argument` UNKNOWN_OWNER, OWNER_MISMATCH
 */
export async function ownerOfNew(parts: AskAuth, candidate: Candidate, call: PassedOn): Promise<Ownership> {
  const { name, publisher, owner } = candidate;
  const namespace = namespaceOf(name);
  if (namespace === undefined) {
    if (owner !== undefined) return orgToOwn(parts, publisher, name, owner, "/owner", call);
    if (!may(publisher, "publish", name)) throw permissionDenied();
    return ownedBy(publisher);
  }
  if (owner !== undefined && owner !== namespace) {
    throw invalid("OWNER_MISMATCH", `owner: what is named @${namespace}/… belongs to ${quote(namespace)}`, "/owner");
  }
  if (publishesFor(publisher, namespace, name)) return ownedByOrg(namespace);
  if (namespace === publisher.username && may(publisher, "publish", name)) return ownedBy(publisher);
  const reachesAnywhere = isAdminFor(publisher, name) || grantedOn(publisher, "publish", name);
  if (!reachesAnywhere) throw permissionDenied();
  return ownerOfNamespace(parts, namespace, call);
}

const ownedBy = ({ id, username }: Pick<UserCaller, "id" | "username">): Ownership => ({
  ownerId: id,
  owner: username,
});
export const ownedByOrg = (org: string): Ownership => ({ ownerId: 0, owner: org, org });

function isAdminFor(caller: UserCaller, name: string): boolean {
  return caller.role === "admin" && inScope(caller, "publish", name);
}

/** Whether some role in the organisation lets the caller publish for it. A team publishes new names as well. */
export function publishesFor(caller: UserCaller, org: string, name: string): boolean {
  return publishesIn(caller, org) && inScope(caller, "publish", name);
}

/**
 * An organisation that the caller may give a plugin to.
 * @throws `permission_denied` for one that it is no member of, alike whether that exists; `invalid_argument` UNKNOWN_OWNER
 */
export async function orgToOwn(
  parts: AskAuth,
  caller: UserCaller,
  name: string,
  org: string,
  pointer: string,
  call: PassedOn,
): Promise<Ownership> {
  if (publishesFor(caller, org, name)) return ownedByOrg(org);
  if (!isAdminFor(caller, name)) throw permissionDenied();
  const { type, closed } = await askNamespace(parts, org, call);
  if (type === "organisation" && !closed) return ownedByOrg(org);
  throw invalid("UNKNOWN_OWNER", `owner: there is no organisation ${quote(org)}`, pointer);
}

async function ownerOfNamespace(parts: AskAuth, namespace: string, call: PassedOn): Promise<Ownership> {
  const { type, userId, closed } = await askNamespace(parts, namespace, call);
  if (type === "organisation" && !closed) return ownedByOrg(namespace);
  if (type === "user") return { ownerId: userId, owner: namespace };
  const message = `The namespace @${namespace} belongs to nobody; make an organisation of that name first`;
  throw new RegistryError("rejected", "NAMESPACE_UNKNOWN", message, {
    fields: [{ pointer: "/name", reason: message }],
  });
}

function askNamespace(parts: AskAuth, name: string, context: PassedOn) {
  return parts.organisations().getNamespace({ name }, { context, as: "service" });
}

/** A user that a plugin may be given to. @throws `invalid_argument` UNKNOWN_OWNER */
export async function userToOwn(parts: AskAuth, username: string, context: PassedOn): Promise<Ownership> {
  return ownedBy(await findUser(parts, username, "/owner", "UNKNOWN_OWNER", context));
}

/** @throws `invalid_argument`, the reason given, where there is no such active user */
export async function findUser(
  parts: AskAuth,
  username: string,
  pointer: string,
  reason: string,
  context: PassedOn,
): Promise<{ readonly id: number; readonly username: string }> {
  const user = await parts
    .auth()
    .getUser({ username }, { context, as: "service" })
    .then((answer) => answer.user)
    .catch((error: unknown) => {
      if (isRegistryError(error) && ["not_found", "unauthenticated", "invalid_argument"].includes(error.kind)) {
        return undefined;
      }
      throw error;
    });
  if (user !== undefined && !user.disabled) return { id: user.id, username: user.username };
  throw invalid(reason, `${pointer.slice(1)}: there is no user ${quote(username)}`, pointer);
}

/**
 * @param org whose team it has to be; undefined for what no organisation owns
 * @throws `invalid_argument` INVALID_TEAM
 */
export async function assertTeam(
  parts: AskAuth,
  org: string | undefined,
  team: string,
  context: PassedOn,
): Promise<void> {
  if (org === undefined) throw invalid("INVALID_TEAM", "team: only an organisation's plugin has a team", "/team");
  await parts
    .organisations()
    .getTeam({ organisation: org, name: team }, { context, as: "service" })
    .catch((error: unknown) => {
      if (!isRegistryError(error) || error.kind !== "not_found") throw error;
      throw invalid("INVALID_TEAM", `team: ${quote(org)} has no team ${quote(team)}`, "/team");
    });
}

/** @throws `invalid_argument` INVALID_VISIBILITY where nobody would be left to see it */
export function assertTeamVisibility(visibility: string, team: string | undefined): void {
  if (visibility !== "team" || team !== undefined) return;
  throw invalid("INVALID_VISIBILITY", "visibility: team needs a team of the organisation that owns it", "/visibility");
}
