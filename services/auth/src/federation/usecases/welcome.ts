import { DuplicateKeyError, type Update } from "@registry/documents";
import { isRegistryError, unauthenticated } from "@registry/domain";
import type { CallContext } from "@registry/kit";
import { parseEmail, type User } from "../../model/user.ts";
import { followGroups } from "../../organisations/follow-groups.ts";
import { keepingAnAdmin } from "../../usecases/update-user.ts";
import type { Person } from "../model/person.ts";
import { roleByGroup } from "../model/role-by-group.ts";
import type { FederationParts } from "../parts.ts";
import { createPerson, findPerson } from "./create-person.ts";

/**
 * The user of somebody whom the provider vouches for: made at the first sign-in, and at each one brought in line with
 * what the provider says of groups and email.
 * @throws kind `unauthenticated` where the user is disabled
 */
export async function welcome(parts: FederationParts, person: Person, context: CallContext): Promise<User> {
  const known = await findPerson(parts, person);
  const user = known ?? (await createPerson(parts, person));
  context.audit({ target: user.username });
  if (user.disabled) throw unauthenticated();
  await followRole(parts, user, person);
  await followEmail(parts, user, person);
  await followGroups(parts, user, person.groups);
  const after = (await parts.users.findOne({ _id: user._id })) ?? user;
  if (after.disabled) throw unauthenticated();
  context.audit({ ...(known === null ? {} : { before: factsOf(known) }), after: factsOf(after) });
  return after;
}

function factsOf({ username, email = "", role, memberships = [] }: User): object {
  const teams = memberships.flatMap(({ org, teams }) => Object.keys(teams).map((team) => `${org}/${team}`));
  return { username, email, role, organisations: memberships.map(({ org }) => org), teams };
}

async function followRole(parts: FederationParts, user: User, person: Person): Promise<void> {
  const group = parts.config.OIDC_ADMIN_GROUP;
  const { role, roleWithoutGroup } = roleByGroup(user, group !== undefined && person.groups.includes(group));
  if (role === user.role && roleWithoutGroup === user.roleWithoutGroup) return;
  const update: Update =
    roleWithoutGroup === undefined
      ? { $set: { role }, $unset: { roleWithoutGroup: true } }
      : { $set: { role, roleWithoutGroup } };
  const write = async (): Promise<void> => {
    await parts.users.updateOne({ _id: user._id }, update);
  };
  try {
    await parts.withdraw(() => keepingAnAdmin(parts, user, { ...user, role }, write));
  } catch (error) {
    if (!isRegistryError(error) || error.reason !== "LAST_ADMIN") throw error;
    // A registry that nobody administers cannot be mended from within.
    parts.log.warn({ username: user.username }, "the last administrator left the admin group and stays one");
  }
}

/** Takes the provider's word for an address, unless it is another user's. */
async function followEmail(parts: FederationParts, user: User, { email }: Person): Promise<void> {
  if (email === undefined || email === user.email) return;
  try {
    await parts.users.updateOne({ _id: user._id }, { $set: parseEmail(email) });
  } catch (error) {
    if (!(error instanceof DuplicateKeyError)) throw error;
  }
}
