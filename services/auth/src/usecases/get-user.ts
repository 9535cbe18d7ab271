import { notFound } from "@registry/domain";
import type { User } from "../model/user.ts";
import type { Parts, UseCase } from "../parts.ts";
import { toUserMessage } from "../wire.ts";

export const getUser: UseCase<"getUser"> = (parts) => async (request) => ({
  user: toUserMessage(await userByName(parts, request.username)),
});

/** @throws kind `not_found`, reason `USER_NOT_FOUND` */
export async function userByName(parts: Parts, username: string): Promise<User> {
  const user = await parts.users.findOne({ username: username.toLowerCase() });
  if (user === null) throw notFound("USER_NOT_FOUND", "User not found");
  return user;
}
