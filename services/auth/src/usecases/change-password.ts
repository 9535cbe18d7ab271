import { checkNewPassword, wrongPassword } from "../model/user.ts";
import type { UseCase } from "../parts.ts";
import { callerUser } from "./caller-user.ts";
import { checkPassword } from "./check-password.ts";
import { newPasswordFields } from "./set-password.ts";

export const changePassword: UseCase<"changePassword"> = (parts) => async (request, context) => {
  checkNewPassword(request.newPassword, "/new_password");
  const user = await callerUser(parts, context);
  context.audit({ target: user.username });
  const attempt = { name: user.username, user, password: request.currentPassword };
  if ((await checkPassword(parts, context, attempt)) !== "holds") throw wrongPassword();
  const changed = await newPasswordFields(parts, request.newPassword);
  await parts.withdraw(() => parts.users.updateOne({ _id: user._id }, { $set: changed }));
  return {};
};
