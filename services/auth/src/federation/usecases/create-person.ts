import { DuplicateKeyError } from "@registry/documents";
import { RegistryError } from "@registry/domain";
import { isReservedUsername, parseEmail, type User } from "../../model/user.ts";
import { nthUsername, type Person, usernameFrom } from "../model/person.ts";
import type { FederationParts } from "../parts.ts";

/** Beyond these somebody is called by chance rather than by number. */
const numberedTries = 20;
const tries = 30;

export function findPerson(parts: FederationParts, { issuer, subject }: Person): Promise<User | null> {
  return parts.users.findOne({ "identity.issuer": issuer, "identity.subject": subject });
}

/**
 * Makes the user of somebody who signs in for the first time. Whoever has the same email or name here already is
 * another user: nobody comes into an account by what can be given to somebody else.
 */
export async function createPerson(parts: FederationParts, person: Person): Promise<User> {
  const stem = usernameFrom(person.name ?? "") || "user";
  let email = await freeEmail(parts, person);
  for (let n = 1; n <= tries; n++) {
    const username = n <= numberedTries ? nthUsername(stem, n) : `user-${parts.ids.unique().slice(0, 8)}`;
    if (isReservedUsername(username)) continue;
    const user: User = {
      _id: await parts.counters.nextUserId(),
      username,
      ...email,
      role: parts.config.OIDC_DEFAULT_ROLE,
      grants: [],
      disabled: false,
      createdAt: parts.clock.now(),
      identity: { issuer: person.issuer, subject: person.subject },
    };
    const taken = await insert(parts, user);
    if (taken === undefined) return user;
    const other = taken === "identity" ? await findPerson(parts, person) : null;
    if (other !== null) return other;
    if (taken === "email_key") email = {};
  }
  const text = "No username is free for this account; ask an administrator to make the user";
  throw new RegistryError("conflict", "NO_USERNAME_FREE", text);
}

async function freeEmail(parts: FederationParts, { email }: Person): Promise<Pick<User, "email" | "emailKey">> {
  if (email === undefined) return {};
  const fields = parseEmail(email);
  return (await parts.users.findOne({ emailKey: fields.emailKey })) === null ? fields : {};
}

/** @returns the index that is in the way */
async function insert(parts: FederationParts, user: User): Promise<string | undefined> {
  try {
    await parts.users.insertOne(user);
    return undefined;
  } catch (error) {
    if (error instanceof DuplicateKeyError) return error.index;
    throw error;
  }
}
