import { RegistryError } from "@registry/domain";
import { isPendingStill, sealOwner, sealPurpose, stepOf, type Totp, wrongCode } from "../model/totp.ts";
import type { UseCase } from "../parts.ts";
import { callerUser } from "./caller-user.ts";

/** From now on a login needs a code; the one that confirms is used up by it. */
export const confirmTotp: UseCase<"confirmTotp"> = (parts) => async (request, context) => {
  const now = parts.clock.now();
  const user = await callerUser(parts, context);
  context.audit({ target: user.username });
  const pending = user.totpPending;
  if (pending === undefined || !isPendingStill(pending, now)) throw notBegun();
  const secret = parts.keys.open(sealPurpose, pending.sealed, sealOwner(user._id));
  const step = secret === undefined ? undefined : stepOf(secret, request.code, now);
  if (step === undefined) throw wrongCode();
  const totp: Totp = { sealed: pending.sealed, enabledAt: now, lastStep: step };
  const { matchedCount } = await parts.withdraw(() =>
    parts.users.updateOne(
      { _id: user._id, "totpPending.sealed": pending.sealed },
      { $set: { totp: { ...totp } }, $unset: { totpPending: true } },
    ),
  );
  if (matchedCount === 0) throw notBegun();
  context.audit({ before: { totp: false }, after: { totp: true } });
  return {};
};

const notBegun = (): RegistryError =>
  new RegistryError("conflict", "TOTP_NOT_BEGUN", "No second factor waits to be confirmed; begin with a new one");
