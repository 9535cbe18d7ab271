import { RegistryError } from "@registry/domain";
import { checkNewPassword } from "../model/user.ts";
import type { UseCase } from "../parts.ts";
import { callerUser } from "./caller-user.ts";
import { checkPassword } from "./check-password.ts";
import { newPasswordFields } from "./set-password.ts";

export const changePassword: UseCase<"changePassword"> = (parts) => async (request, context) => {
  checkNewPassword(request.newPassword, "/new_password");
  const user = await callerUser(parts, context);
  if (!(await checkPassword(parts, user.username, user, request.currentPassword))) {
    throw new RegistryError("permission_denied", "WRONG_PASSWORD", "The current password is not right");
  }
  const changed = await newPasswordFields(parts, request.newPassword);
  await parts.withdraw(() => parts.users.updateOne({ _id: user._id }, { $set: changed }));
  return {};
};
