import type { User } from "../model/user.ts";
import type { Parts } from "../parts.ts";
import { hashPassword } from "../passwords.ts";

/** What changes in a user with a new password: the hash, and from when on login tokens hold. */
export async function newPasswordFields(
  parts: Parts,
  password: string,
): Promise<Required<Pick<User, "passwordHash" | "tokensValidFrom">>> {
  const passwordHash = await parts.hashing.run(() => hashPassword(password));
  // Tokens tell their time in whole seconds, so the one that has begun is barred whole.
  const nextSecond = Math.floor(parts.clock.now().getTime() / 1000) + 1;
  return { passwordHash, tokensValidFrom: new Date(nextSecond * 1000) };
}
