import { unauthenticated } from "@registry/domain";
import type { User } from "../model/user.ts";
import type { Parts, UseCase } from "../parts.ts";
import { toUserMessage } from "../wire.ts";
import { checkPassword } from "./check-password.ts";
import { issueLoginToken } from "./issue-login-token.ts";

const maxName = 254;

export const login: UseCase<"login"> = (parts) => async (request) => {
  const name = request.username.toLowerCase();
  if (name === "" || name.length > maxName || request.password === "") throw unauthenticated();
  const user = await findUser(parts, name);
  if (!(await checkPassword(parts, name, user, request.password)) || user === null) throw unauthenticated();
  return { user: toUserMessage(user), ...(await issueLoginToken(parts, user)) };
};

function findUser(parts: Parts, name: string): Promise<User | null> {
  return parts.users.findOne(name.includes("@") ? { emailKey: name } : { username: name });
}
