import type { CallContext } from "@registry/kit";
import type { User } from "../model/user.ts";
import type { Parts } from "../parts.ts";
import { hashPassword, isOutdated, verifyPassword } from "../passwords.ts";
import { useCode } from "./use-code.ts";

/** Nothing longer can have been set here, and hashing it would cost more. */
const maxTried = 1024;

export interface Attempt {
  /** Under which failures are counted. */
  readonly name: string;
  /** Takes as long for nobody (null) as for somebody. */
  readonly user: User | null;
  readonly password: string;
  /** Of the second factor, empty where none was given; absent where the password alone is asked for. */
  readonly code?: string;
}

/** What is said of the code is said once the password was right. */
export type Proof = "holds" | "wrong password" | "wrong code" | "code needed";

/**
 * Whether somebody proves to be the user. Failures are counted; the count for the name is asked within the gate, so that
 * no more attempts than the gate is wide slip past it at once, and cleared only once all that is asked for holds.
 * @throws kind `rate_limited`
 */
export async function checkPassword(parts: Parts, context: CallContext, attempt: Attempt): Promise<Proof> {
  await parts.quotas.demand("login", context.address);
  const proof = await parts.hashing.run(() => prove(parts, attempt));
  if (proof === "wrong password") await parts.quotas.failed("password", context.address);
  if (proof === "wrong code") await parts.quotas.failed("code", context.address);
  return proof;
}

async function prove(parts: Parts, { name, user, password, code }: Attempt): Promise<Proof> {
  const hasFailures = await parts.throttle.check(name, parts.clock.now());
  const known = await verifyPassword(user?.passwordHash ?? parts.dummyHash, password.slice(0, maxTried));
  if (!known || user?.passwordHash === undefined || user.disabled || password.length > maxTried) {
    await parts.throttle.count(name, parts.clock.now());
    return "wrong password";
  }
  if (code !== undefined && user.totp !== undefined) {
    if (code === "") return "code needed";
    if (!(await useCode(parts, user, code))) {
      await parts.throttle.count(name, parts.clock.now());
      return "wrong code";
    }
  }
  if (hasFailures) await parts.throttle.clear(name);
  if (isOutdated(user.passwordHash)) await renewHash(parts, user, password);
  return "holds";
}

/** Only where the hash is still the one that was verified: a change of password at the same moment wins. */
async function renewHash(parts: Parts, user: Pick<User, "_id" | "passwordHash">, password: string): Promise<void> {
  const passwordHash = await hashPassword(password);
  await parts.users.updateOne({ _id: user._id, passwordHash: user.passwordHash }, { $set: { passwordHash } });
}
