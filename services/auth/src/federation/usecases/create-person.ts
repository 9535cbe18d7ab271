import { isRegistryError, RegistryError } from "@registry/domain";
import { isReservedUsername, parseEmail, type User } from "../../model/user.ts";
import { createUserDocument } from "../../usecases/create-user-document.ts";
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
    const username = n <= numberedTries ? nthUsername(stem, n) : `user-${parts.ids.unique().slice(-8)}`;
    if (isReservedUsername(username)) continue;
    const made = await create(parts, person, username, email);
    if (typeof made === "object") return made;
    // Another replica may have made this very person meanwhile.
    const other = await findPerson(parts, person);
    if (other !== null) return other;
    if (made === "EMAIL_TAKEN") email = {};
  }
  const text = "No username is free for this account; ask an administrator to make the user";
  throw new RegistryError("conflict", "NO_USERNAME_FREE", text);
}

type Email = Pick<User, "email" | "emailKey">;

async function freeEmail(parts: FederationParts, { email }: Person): Promise<Email> {
  if (email === undefined) return {};
  const fields = parseEmail(email);
  return (await parts.users.findOne({ emailKey: fields.emailKey })) === null ? fields : {};
}

/** @returns why not, where something is taken */
async function create(
  parts: FederationParts,
  { issuer, subject }: Person,
  username: string,
  email: Email,
): Promise<User | "USERNAME_TAKEN" | "EMAIL_TAKEN"> {
  const role = parts.config.OIDC_DEFAULT_ROLE;
  try {
    return await createUserDocument(parts, { username, ...email, role, grants: [], identity: { issuer, subject } });
  } catch (error) {
    const reason = isRegistryError(error) ? error.reason : undefined;
    if (reason === "USERNAME_TAKEN" || reason === "EMAIL_TAKEN") return reason;
    throw error;
  }
}
