import { RegistryError } from "@registry/domain";
import type { User } from "../model/user.ts";
import type { Parts } from "../parts.ts";
import { explainDuplicate, usernameTaken } from "../store/users.ts";
import { claimNamespace } from "./claim-namespace.ts";

type NewUser = Pick<
  User,
  | "username"
  | "email"
  | "emailKey"
  | "passwordHash"
  | "role"
  | "grants"
  | "serviceAccountOf"
  | "memberships"
  | "identity"
>;

/**
 * Every user is made here. The name is an organisation's no less than a user's, so it is claimed for both.
 * @throws kind `already_exists`, reason `USERNAME_TAKEN` or `EMAIL_TAKEN`
 */
export async function createUserDocument(parts: Parts, fields: NewUser): Promise<User> {
  const claim = await claimNamespace(parts, fields.username, "user");
  if (claim === undefined) throw usernameTaken();
  const _id = await parts.counters.nextUserId();
  const user: User = { _id, ...fields, disabled: false, createdAt: parts.clock.now() };
  try {
    await parts.users.insertOne(user);
  } catch (error) {
    const known = explainDuplicate(error);
    // After any other failure the user may be there all the same; if not, the claim is taken over in time.
    if (known instanceof RegistryError && known !== error) await parts.namespaces.release(claim);
    throw known;
  }
  if (await parts.namespaces.holds(claim)) return user;
  await parts.users.deleteOne({ _id });
  throw usernameTaken();
}
