import type { CallContext } from "@registry/kit";
import { totpNotEnabled } from "../model/totp.ts";
import type { User } from "../model/user.ts";
import type { Parts, UseCase } from "../parts.ts";
import { userByName } from "./get-user.ts";

/** For somebody who has lost the second factor, by whoever can read the registry's secret. */
export const resetTotp: UseCase<"resetTotp"> = (parts) => async (request, context) => {
  const user = await userByName(parts, request.username);
  context.audit({ target: user.username });
  if (user.totp === undefined) throw totpNotEnabled();
  await removeTotp(parts, user, context);
  return {};
};

export async function removeTotp(parts: Parts, user: User, context: CallContext): Promise<void> {
  await parts.withdraw(() => parts.users.updateOne({ _id: user._id }, { $unset: { totp: true, totpPending: true } }));
  context.audit({ before: { totp: true }, after: { totp: false } });
}
