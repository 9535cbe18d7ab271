import { RegistryError, unauthenticated } from "@registry/domain";
import type { User } from "../model/user.ts";
import type { Parts, UseCase } from "../parts.ts";
import { toUserMessage } from "../wire.ts";
import { checkPassword } from "./check-password.ts";
import { issueLoginToken } from "./issue-login-token.ts";

const maxName = 254;

export const login: UseCase<"login"> = (parts) => async (request, context) => {
  const name = request.username.toLowerCase();
  if (name === "" || name.length > maxName || request.password === "") throw unauthenticated();
  const user = await findUser(parts, name);
  // A name that nobody has may be a password that was typed in the wrong place.
  if (user !== null) context.audit({ target: user.username });
  const proof = await checkPassword(parts, context, { name, user, password: request.password, code: request.otp });
  if (proof === "code needed") throw otpRequired();
  if (proof !== "holds" || user === null) throw unauthenticated();
  return { user: toUserMessage(user), ...(await issueLoginToken(parts, user)) };
};

function findUser(parts: Parts, name: string): Promise<User | null> {
  return parts.users.findOne(name.includes("@") ? { emailKey: name } : { username: name });
}

const otpRequired = (): RegistryError =>
  new RegistryError("unauthenticated", "OTP_REQUIRED", "otp: give the six digits that your second factor shows now");
