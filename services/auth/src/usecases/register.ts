import { RegistryError } from "@registry/domain";
import { checkNewPassword, parseEmail, parseUsername, refuseReserved } from "../model/user.ts";
import { userNote } from "../notes.ts";
import type { UseCase } from "../parts.ts";
import { hashPassword } from "../passwords.ts";
import { toUserMessage } from "../wire.ts";
import { createUserDocument } from "./create-user-document.ts";
import { issueLoginToken } from "./issue-login-token.ts";

export const register: UseCase<"register"> = (parts) => async (request, context) => {
  if (parts.config.REGISTRATION !== "open") {
    const text = "Registration is closed here; ask an administrator for an account";
    throw new RegistryError("permission_denied", "REGISTRATION_CLOSED", text);
  }
  const username = parseUsername(request.username);
  refuseReserved(username);
  const email = parseEmail(request.email);
  checkNewPassword(request.password);
  await parts.quotas.demand("registration", context.address);
  const passwordHash = await parts.hashing.run(() => hashPassword(request.password));
  const role = parts.config.REGISTRATION_ROLE;
  const user = await createUserDocument(parts, { username, ...email, passwordHash, role, grants: [] });
  context.audit({ target: user.username, after: userNote(user) });
  return { user: toUserMessage(user), ...(await issueLoginToken(parts, user)) };
};
