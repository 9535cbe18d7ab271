import type { User } from "../model/user.ts";
import type { Parts } from "../parts.ts";
import { explainDuplicate } from "../store/users.ts";

/** @throws kind `already_exists`, reason `USERNAME_TAKEN` or `EMAIL_TAKEN` */
export async function createUserDocument(
  parts: Parts,
  fields: Pick<User, "username" | "email" | "emailKey" | "passwordHash" | "role" | "grants">,
): Promise<User> {
  const _id = await parts.counters.nextUserId();
  const user: User = { _id, ...fields, disabled: false, createdAt: parts.clock.now() };
  try {
    await parts.users.insertOne(user);
  } catch (error) {
    throw explainDuplicate(error);
  }
  return user;
}
