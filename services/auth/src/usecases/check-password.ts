import type { User } from "../model/user.ts";
import type { Parts } from "../parts.ts";
import { hashPassword, isOutdated, verifyPassword } from "../passwords.ts";

/** Nothing longer can have been set here, and hashing it would cost more. */
const maxTried = 1024;

/**
 * Whether the password is the user's. Takes as long for nobody (null) as for somebody. Failures are counted under
 * `name`; the count is asked within the gate, so that no more attempts than the gate is wide slip past it at once.
 * @throws kind `rate_limited`
 */
export async function checkPassword(parts: Parts, name: string, user: User | null, password: string): Promise<boolean> {
  return parts.hashing.run(async () => {
    const hasFailures = await parts.throttle.check(name, parts.clock.now());
    const known = await verifyPassword(user?.passwordHash ?? parts.dummyHash, password.slice(0, maxTried));
    if (!known || user?.passwordHash === undefined || user.disabled || password.length > maxTried) {
      await parts.throttle.count(name, parts.clock.now());
      return false;
    }
    if (hasFailures) await parts.throttle.clear(name);
    if (isOutdated(user.passwordHash)) await renewHash(parts, user, password);
    return true;
  });
}

/** Only where the hash is still the one that was verified: a change of password at the same moment wins. */
async function renewHash(parts: Parts, user: User, password: string): Promise<void> {
  const passwordHash = await hashPassword(password);
  await parts.users.updateOne({ _id: user._id, passwordHash: user.passwordHash }, { $set: { passwordHash } });
}
