import { totpNotEnabled, wrongCode } from "../model/totp.ts";
import { wrongPassword } from "../model/user.ts";
import type { UseCase } from "../parts.ts";
import { callerUser } from "./caller-user.ts";
import { checkPassword } from "./check-password.ts";
import { removeTotp } from "./reset-totp.ts";

/** A wrong code is told as such: who asks is logged in and knows the password. */
export const disableTotp: UseCase<"disableTotp"> = (parts) => async (request, context) => {
  const user = await callerUser(parts, context);
  context.audit({ target: user.username });
  if (user.totp === undefined) throw totpNotEnabled();
  const { password, code } = request;
  const proof = await checkPassword(parts, context, { name: user.username, user, password, code });
  if (proof === "wrong password") throw wrongPassword();
  if (proof !== "holds") throw wrongCode();
  await removeTotp(parts, user, context);
  return {};
};
