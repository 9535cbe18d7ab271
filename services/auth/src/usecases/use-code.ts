import { sealOwner, sealPurpose, stepOf } from "../model/totp.ts";
import type { User } from "../model/user.ts";
import type { Parts } from "../parts.ts";

/** Takes a code of the user's second factor. @returns false where it is wrong, or it or a later one was taken before */
export async function useCode(parts: Parts, user: User, code: string): Promise<boolean> {
  if (user.totp === undefined) return false;
  const { sealed } = user.totp;
  const secret = parts.keys.open(sealPurpose, sealed, sealOwner(user._id));
  if (secret === undefined) {
    parts.log.warn({ user: user._id }, "a second factor was sealed under another SECRET_KEY; reset it");
    return false;
  }
  const step = stepOf(secret, code, parts.clock.now());
  if (step === undefined) return false;
  // Of two who bring the same code at once, on whatever replicas, one comes first.
  const { matchedCount } = await parts.users.updateOne(
    { _id: user._id, "totp.sealed": sealed, "totp.lastStep": { $lt: step } },
    { $set: { "totp.lastStep": step } },
  );
  return matchedCount > 0;
}
